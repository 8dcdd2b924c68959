# Every library that is not ours, found in one place.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)
find_package(pugixml REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Boost 1.74 CONFIG REQUIRED)  # headers alone: Asio and Beast
pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil)
# Optional: without it there is no `aggregate --serve`, and no camera for tests.
pkg_check_modules(GSTREAMER IMPORTED_TARGET gstreamer-rtsp-server-1.0 gstreamer-app-1.0 gstreamer-rtp-1.0
                  gstreamer-sdp-1.0 gio-2.0)
if(GSTREAMER_FOUND)
  # -pthread alone, for which headers that were parsed without it do not count.
  set_property(TARGET PkgConfig::GSTREAMER PROPERTY INTERFACE_COMPILE_OPTIONS)
endif()
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
# The system's librdkafka where it is new enough, else the one that tools/librdkafka/build.sh has made.
pkg_check_modules(RDKAFKA_SYSTEM IMPORTED_TARGET rdkafka>=2.8)
if(RDKAFKA_SYSTEM_FOUND)
  add_library(librdkafka ALIAS PkgConfig::RDKAFKA_SYSTEM)
else()
  find_package(RdKafka 2.8 CONFIG REQUIRED PATHS ${PROJECT_SOURCE_DIR}/build/deps/librdkafka NO_DEFAULT_PATH)
  add_library(librdkafka ALIAS RdKafka::rdkafka)
endif()
find_path(TL_EXPECTED_INCLUDE_DIR tl/expected.hpp REQUIRED)
find_path(CONCURRENTQUEUE_INCLUDE_DIR NAMES blockingconcurrentqueue.h
          PATH_SUFFIXES concurrentqueue concurrentqueue/moodycamel REQUIRED)
find_package(benchmark QUIET)
if(BUILD_TESTING)
  find_package(GTest CONFIG REQUIRED)
  # The system's own python3 sees the system's python3-* packages; one that stands before it in PATH may not.
  find_program(GOPLINE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
  find_program(GOPLINE_PYTHON python3 REQUIRED)
endif()
add_library(concurrentqueue INTERFACE)
target_include_directories(concurrentqueue SYSTEM INTERFACE ${CONCURRENTQUEUE_INCLUDE_DIR})
