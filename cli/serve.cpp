#include <condition_variable>
#include <mutex>

#include <CLI/CLI.hpp>

#include "cli/blob_stores.h"
#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_codes.h"
#include "cli/file_watch.h"
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
    "  gopline serve --listen 0.0.0.0:8443 --users users.json --tls-cert cert.pem --tls-key key.pem\n"
    "  gopline serve --listen 0.0.0.0:8080 --insecure for everybody who can reach this machine\n"
    "  gopline serve --cors-origin https://wall.example.org\n"
    "                                                 for pages of that site, too\n"
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
  std::vector<std::string> cors_origins;
  http::TlsFiles tls;
  bool redirect_blobs = false;
  bool no_transcoding = false;

  bool over_tls() const { return !tls.certificate.empty(); }
};

// Where presigned addresses of the store that --blobs names lead; empty where none is named.
Result<std::string> origin_of(BlobStores& blobs) {
  GOPLINE_ASSIGN(auto store, blobs.for_reading());
  if (!store) return std::string();
  auto url = store->presign("x", std::chrono::minutes(1));
  if (!url && url.error().code == ErrorCode::kUnsupported) return std::string();
  if (!url) return tl::unexpected<Error>(std::move(url.error()));
  return url->substr(0, url->find('/', url->find("://") + 3));
}

// Certificates are renewed while people watch: a changed file is taken up at once, and so it is on SIGHUP,
// for files that are links to others.
class TlsRenewal {
 public:
  static Result<std::unique_ptr<TlsRenewal>> start(http::HttpServer& server, const http::TlsFiles& files,
                                                   const Environment& environment) {
    auto renewal = std::unique_ptr<TlsRenewal>(new TlsRenewal(server, environment));
    for (const auto& file : {files.certificate, files.key}) {
      GOPLINE_ASSIGN(auto watch, FileWatch::start(file, [one = renewal.get()] { one->renew(); }));
      renewal->watches_.push_back(std::move(watch));
    }
    if (environment.on_hangup) environment.on_hangup([one = renewal.get()] { one->renew(); });
    return renewal;
  }
  ~TlsRenewal() {
    if (environment_.on_hangup) environment_.on_hangup({});
  }

 private:
  TlsRenewal(http::HttpServer& server, const Environment& environment)
      : server_(server), environment_(environment) {}

  void renew() {
    if (auto done = server_.reload_tls(); !done) {  // the other file may be on its way
      print_error(done.error().message + "; going on with the certificate there was");
    } else {
      print_note("the certificate was read again\n");
    }
  }

  http::HttpServer& server_;
  const Environment& environment_;
  std::vector<std::unique_ptr<FileWatch>> watches_;
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
  site_options.over_tls = options.over_tls();
  site_options.secure_cookies = options.over_tls() || !options.insecure;
  GOPLINE_ASSIGN(site_options.cross_origin, server::CrossOrigin::of(options.cors_origins));
  GOPLINE_ASSIGN(auto topics, topics_of(options.log));
  GOPLINE_ASSIGN(auto log, open_log(options.log, LogUse::kRead, environment.stop));
  BlobStores blobs(options.blobs);
  site_options.redirect_blobs = options.redirect_blobs;
  site_options.transcodes = !options.no_transcoding;
  if (options.redirect_blobs) {
    GOPLINE_ASSIGN(site_options.blob_origin, origin_of(blobs));
  }
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
  auto tls = options.over_tls() ? std::optional(options.tls) : std::nullopt;
  GOPLINE_ASSIGN(auto server, http::HttpServer::start(options.listen, "pages", site.handler(), limits, tls));
  std::unique_ptr<TlsRenewal> renewal;
  if (tls) {
    GOPLINE_ASSIGN(renewal, TlsRenewal::start(*server, *tls, environment));
  }
  print_note(
      fmt::format("serving {} at {}://{}\n", log->describe(), tls ? "https" : "http", server->address()));
  if (metrics_server) print_note(fmt::format("metrics at http://{}/metrics\n", metrics_server->address()));
  wait_for(environment.stop);
  renewal.reset();
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
  auto* certificate = command->add_option("--tls-cert", options->tls.certificate,
                                          "Speak TLS, with this certificate (PEM, its chain behind it)");
  auto* key = command->add_option("--tls-key", options->tls.key, "and its private key (PEM)");
  certificate->type_name("FILE")->needs(key);
  key->type_name("FILE")->needs(certificate);
  command
      ->add_option(
          "--cors-origin", options->cors_origins,
          "Let pages of this origin read everything that who looks at them may see; several, or '*' for "
          "any page, which is told what everybody may see alone")
      ->type_name("ORIGIN");
  command->add_flag("--redirect-blobs", options->redirect_blobs,
                    "Send players to the object store for segments that lie there, by presigned addresses");
  command->add_flag(
      "--no-transcoding", options->no_transcoding,
      "Leave out what browsers do not know (G.711, HEVC, MPEG-4 part 2), instead of making AAC and H.264 of "
      "it when somebody asks");
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
