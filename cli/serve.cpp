#include <condition_variable>
#include <mutex>

#include <CLI/CLI.hpp>

#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/log_factory.h"
#include "cli/options.h"
#include "common/http/http_server.h"
#include "common/http/listen_address.h"
#include "common/metrics/metrics_server.h"
#include "common/metrics/registry.h"
#include "server/access/access.h"
#include "server/access/audit_log.h"
#include "server/access/user_access.h"
#include "server/site.h"
#include "server/stream_catalog.h"

namespace gopline::cli {
namespace {

constexpr const char* kServeExamples =
    "  gopline serve                                  http://127.0.0.1:8080, what ./gopline-data holds\n"
    "  gopline serve --log kafka://k1:9092/gopline    of a Kafka cluster\n"
    "  gopline serve --listen 0.0.0.0:8080 --users users.json --audit audit.log\n"
    "                                                 for whom 'gopline user' has let in\n"
    "  gopline serve --listen 0.0.0.0:8080 --insecure for everybody who can reach this machine\n"
    "  ffplay http://127.0.0.1:8080/streams/lobby/live.m3u8\n"
    "  ffplay "
    "'http://127.0.0.1:8080/streams/lobby/hls.m3u8?from=2026-11-22T18:00:00Z&to=2026-11-22T18:05:00Z'\n";

// Slower than any network on which video is watched; who takes less holds a connection for nothing.
constexpr std::uint32_t kSlowestBytesPerSecond = 16 << 10;

struct ServeOptions {
  LogOptions log;
  BlobOptions blobs;
  OutputOptions output;
  std::string listen = "127.0.0.1:8080";
  std::string metrics;
  std::string users;
  std::string audit;
  bool insecure = false;
  std::uint64_t cache_bytes = 256 << 20;
  std::size_t connections = 1024;
};

void wait_for(StopToken stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

// Nobody is asked who they are: so nobody but this machine is answered, unless somebody says so.
Result<bool> check_loopback(const ServeOptions& options, const server::Access& access) {
  GOPLINE_ASSIGN(auto address, http::parse_listen_address(options.listen));
  bool is_loopback = server::is_loopback_host(address.host == "::1" ? "[::1]" : address.host);
  if (!is_loopback && access.is_open() && !options.insecure) {
    return fail(ErrorCode::kInvalidArgument,
                "'{}' can be reached from other machines, and nobody would be asked who they are: listen at "
                "127.0.0.1 behind a proxy that asks, name --users, or say --insecure",
                options.listen);
  }
  return is_loopback;
}

Result<std::unique_ptr<server::Access>> open_access(const ServeOptions& options, const Clock& clock) {
  if (options.users.empty()) return std::make_unique<server::OpenAccess>();
  return server::UserAccess::open(options.users, clock);
}

Result<int> run(const ServeOptions& options, const Environment& environment) {
  server::SiteOptions site_options;
  GOPLINE_ASSIGN(auto access, open_access(options, environment.clock));
  GOPLINE_ASSIGN(site_options.loopback_only, check_loopback(options, *access));
  GOPLINE_ASSIGN(auto audit, server::AuditLog::open({options.audit, !access->is_open()}, environment.clock));
  GOPLINE_ASSIGN(site_options.topic_namespace, namespace_of(options.log));
  site_options.cache_bytes = options.cache_bytes;
  site_options.secure_cookies = !options.insecure;
  GOPLINE_ASSIGN(auto topics, topics_of(options.log));
  GOPLINE_ASSIGN(auto log, open_log(options.log, LogUse::kRead, environment.stop));
  BlobStores blobs(options.blobs);
  GOPLINE_ASSIGN(auto catalog, server::StreamCatalog::open(*log, environment.clock, topics));
  metrics::Registry registry;
  std::unique_ptr<metrics::MetricsServer> metrics_server;
  if (!options.metrics.empty()) {
    site_options.metrics = server::ServerMetrics(registry);
    auto healthy = [] { return std::vector<metrics::HealthProblem>(); };
    GOPLINE_ASSIGN(metrics_server, metrics::MetricsServer::start(options.metrics, registry, healthy));
  }
  server::Site site(*catalog, blobs, *access, *audit, environment.clock, site_options);
  http::ServerLimits limits;
  limits.connections = options.connections;
  limits.slowest_bytes_per_second = kSlowestBytesPerSecond;
  GOPLINE_ASSIGN(auto server, http::HttpServer::start(options.listen, "pages", site.handler(), limits));
  print_note(fmt::format("serving {} at http://{}\n", log->describe(), server->address()));
  if (metrics_server) print_note(fmt::format("metrics at http://{}/metrics\n", metrics_server->address()));
  wait_for(environment.stop);
  site.stop();
  server.reset();
  return kInterrupted;
}

}  // namespace

void add_serve_command(CLI::App& root, Action& chosen) {
  auto options = std::make_shared<ServeOptions>();
  auto* command =
      root.add_subcommand("serve", "Show streams in a browser and to HLS players, live and recorded");
  add_log_options(*command, options->log);
  add_blob_options(*command, options->blobs);
  command->add_option("--listen", options->listen, "Where to listen (127.0.0.1:8080)")
      ->type_name("HOST:PORT");
  command->add_option("--users", options->users, "Ask who they are, by a file that 'gopline user' makes")
      ->type_name("FILE");
  command->add_option("--audit", options->audit, "Append who viewed and exported what, as lines of JSON")
      ->type_name("FILE");
  command->add_flag(
      "--insecure", options->insecure,
      "Without --users: let everybody see everything who can reach --listen, from other machines "
      "too; with it: let passwords and cookies travel without TLS");
  add_bytes(*command, "--cache", options->cache_bytes, "Memory for segments that many look at (256MiB)");
  command->add_option("--connections", options->connections, "How many clients at once (1024)")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000));
  command->add_option("--metrics", options->metrics, "Serve /metrics for Prometheus there (docs/metrics.md)")
      ->type_name("HOST:PORT");
  add_verbosity_options(*command, options->output);
  add_footer(*command, kServeExamples);
  command->callback([options, &chosen] {
    chosen = [options](const Environment& environment) {
      apply_verbosity(options->output);
      auto code = run(*options, environment);
      return code ? *code : report(code.error());
    };
  });
}

}  // namespace gopline::cli
