# Flags that every target of ours is compiled with.
add_library(gopline_options INTERFACE)
target_compile_options(gopline_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual -Wimplicit-fallthrough $<$<BOOL:${GOPLINE_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 sees overlaps in std::string that are not there (GCC bug 105651).
  target_compile_options(gopline_options INTERFACE -Wno-restrict)
  # ... and std::optional members that were never set (GCC bug 105562).
  target_compile_options(gopline_options INTERFACE -Wno-maybe-uninitialized)
endif()
target_compile_definitions(gopline_options INTERFACE GOPLINE_VERSION="${PROJECT_VERSION}"
                           $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(GOPLINE_SANITIZE)
  # A finding ends the program: undefined behaviour that only prints a line would pass every test.
  add_compile_options(-fsanitize=${GOPLINE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${GOPLINE_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND GOPLINE_SANITIZE MATCHES "thread")
    # concurrentqueue has fences, of which g++'s thread sanitizer warns that it does not see them.
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # To g++ a source that is compiled with others is a header, whose classes may not have members of unnamed namespaces.
  target_compile_options(gopline_options INTERFACE -Wno-subobject-linkage)
endif()
# For what is never in a hurry, tests and the command line: two thirds of a compilation are optimizing. Not cli_test: g++ 12
# warns there at -O1 of what is not so.
set(gopline_quick_to_build $<$<CONFIG:RelWithDebInfo>:-O1>)
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_custom_target(benchmarks)

# gopline_room(NAME [PUBLIC libs...] [PRIVATE libs...] [TEST libs...])
# One static library from the folder's own .cpp files; *_test.cpp files become the test program NAME_test and
# *_bench.cpp files the benchmark program NAME_bench (where Google Benchmark is installed); `benchmarks` builds all.
# PUBLIC: what the room's headers include. PRIVATE: what only its .cpp files include. TEST: what only its tests and
# benchmarks include.
function(gopline_room name)
  cmake_parse_arguments(ARG "" "" "PUBLIC;PRIVATE;TEST" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  set(benchmarks ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER benchmarks INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE gopline_options ${ARG_PRIVATE})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    use_precompiled(${name} precompiled)
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_PUBLIC})
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
  endif()
  if(tests AND BUILD_TESTING)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} ${ARG_PRIVATE} ${ARG_TEST} gopline_options
                          GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE GOPLINE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    use_precompiled(${name}_test precompiled_tests)
    target_compile_options(${name}_test PRIVATE ${gopline_quick_to_build})
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit)
  endif()
  if(benchmarks AND benchmark_FOUND)
    add_executable(${name}_bench ${benchmarks})
    target_link_libraries(${name}_bench PRIVATE ${name} ${ARG_PRIVATE} ${ARG_TEST} gopline_options
                          benchmark::benchmark_main)
    add_dependencies(benchmarks ${name}_bench)
  endif()
endfunction()

# gopline_fuzz(NAME SOURCE [libs...])
# With GOPLINE_FUZZ (clang) the libFuzzer program fuzz_NAME, whose corpus is tests/fuzz/corpus/NAME; the target `fuzzers`
# builds them all. In every other build the same code runs over its corpus as the test replay_NAME.
if(GOPLINE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_custom_target(fuzzers)
endif()
function(gopline_fuzz name source)
  if(NOT GOPLINE_FUZZ AND NOT BUILD_TESTING)
    return()
  endif()
  add_executable(fuzz_${name} ${source})
  target_link_libraries(fuzz_${name} PRIVATE gopline_options ${ARGN})
  if(GOPLINE_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    # What needs the whole program is in `all` alone: to build that a second time takes longer than the fuzzing.
    if(NOT "cli" IN_LIST ARGN)
      add_dependencies(fuzzers fuzz_${name})
    endif()
  else()
    target_sources(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
    add_test(NAME replay_${name} COMMAND fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(replay_${name} PROPERTIES LABELS unit)
  endif()
endfunction()
