# Headers that nearly every source includes, parsed once for each build: half of what a source took to compile was
# reading them. A convenience only: every source still names what it uses, and the clang preset, which has none of this,
# proves it.
set(GOPLINE_PRECOMPILED <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <deque> <filesystem>
    <functional> <map> <memory> <mutex> <optional> <set> <span> <string> <string_view> <thread> <variant> <vector>
    <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp>)

# precompiled_target(NAME LIBS libs... HEADERS headers...)
function(precompiled_target name)
  cmake_parse_arguments(ARG "" "" "LIBS;HEADERS" ${ARGN})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${name}.cpp CONTENT "// Holds a precompiled header.\n")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE gopline_options ${ARG_LIBS})
  target_include_directories(${name} PRIVATE ${TL_EXPECTED_INCLUDE_DIR})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

if(GOPLINE_PRECOMPILE)
  precompiled_target(precompiled LIBS fmt::fmt HEADERS ${GOPLINE_PRECOMPILED})
  if(BUILD_TESTING)
    precompiled_target(precompiled_tests LIBS fmt::fmt GTest::gmock HEADERS ${GOPLINE_PRECOMPILED} <gmock/gmock.h>
                       <gtest/gtest.h>)
  endif()
endif()

# use_precompiled(TARGET KIND): KIND is `precompiled` or `precompiled_tests`.
function(use_precompiled target kind)
  if(GOPLINE_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${kind})
  endif()
endfunction()
