// A camera for tests, with faults on demand: `camera --help`.
#include <glib-unix.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <stdexcept>

#include "tools/camera/control.h"
#include "tools/camera/options.h"
#include "tools/camera/server.h"

namespace gopline::camera {
namespace {

struct MainLoopDeleter {
  void operator()(GMainLoop* loop) const { g_main_loop_unref(loop); }
};

struct Program {
  Server& server;
  GMainLoop* loop;
  std::string unread;  // the beginning of a line
};

gboolean on_input(gint descriptor, GIOCondition, gpointer data) {
  auto& program = *static_cast<Program*>(data);
  char bytes[4096];
  const ssize_t count = read(descriptor, bytes, sizeof bytes);
  if (count <= 0) {  // whoever started us is gone
    g_main_loop_quit(program.loop);
    return G_SOURCE_REMOVE;
  }
  program.unread.append(bytes, static_cast<size_t>(count));
  for (size_t end = 0; (end = program.unread.find('\n')) != std::string::npos;
       program.unread.erase(0, end + 1))
    std::cout << obey(program.server, program.unread.substr(0, end)) << std::endl;
  return G_SOURCE_CONTINUE;
}

gboolean on_signal(gpointer data) {
  g_main_loop_quit(static_cast<Program*>(data)->loop);
  return G_SOURCE_CONTINUE;
}

int run(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) return 0;
  std::signal(SIGPIPE, SIG_IGN);
  gst_init(nullptr, nullptr);
  const std::unique_ptr<GMainLoop, MainLoopDeleter> loop(g_main_loop_new(nullptr, FALSE));
  Server server(*options);
  Program program{server, loop.get(), {}};
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) g_unix_signal_add(number, on_signal, &program);
  g_unix_fd_add(STDIN_FILENO, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP), on_input, &program);
  std::cout << introduction(server) << std::endl;
  g_main_loop_run(loop.get());
  return 0;
}

}  // namespace
}  // namespace gopline::camera

int main(int argc, char** argv) {
  try {
    return gopline::camera::run(argc, argv);
  } catch (const std::invalid_argument& error) {
    std::cerr << "camera: " << error.what() << "\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "camera: " << error.what() << "\n";
    return 1;
  }
}
