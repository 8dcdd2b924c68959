#include "server/live_events.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/api_json.h"

namespace gopline::server {
namespace {

constexpr Duration kPause = std::chrono::milliseconds(500);
constexpr Duration kHeartbeat = std::chrono::seconds(10);

BufferChain chain_of(std::string_view text) {
  return BufferChain(Buffer::copy(text));
}

}  // namespace

struct LiveEvents::State {
  std::mutex mutex;
  std::condition_variable_any wakeup;
  std::set<std::string> changed;
  std::vector<std::weak_ptr<Client>> clients;
};

// What has changed since a client was last told waits here until it can be told.
class LiveEvents::Client final : public http::BodySource {
 public:
  Client(StreamCatalog& catalog, const Clock& clock, bool transcodes, ViewerPtr viewer)
      : catalog_(catalog),
        clock_(clock),
        transcodes_(transcodes),
        viewer_(std::move(viewer)),
        told_(clock.steady_now()) {}

  void next(std::function<void(Piece)> done) override {
    {
      std::lock_guard lock(mutex_);
      waiting_ = std::move(done);
    }
    if (is_new_) {  // the first piece is at once
      is_new_ = false;
      tell("retry: 1000\n\n");
    }
  }

  void add(const std::set<std::string>& changed) {
    std::lock_guard lock(mutex_);
    changed_.insert(changed.begin(), changed.end());
  }

  // Nothing, if the client has not taken yet what it was told before.
  void tell_changes() {
    std::set<std::string> changed;
    SteadyTime told;
    {
      std::lock_guard lock(mutex_);
      if (!waiting_) return;
      told = told_;
      changed = std::exchange(changed_, {});
    }
    std::vector<StreamView> streams;
    if (!changed.empty()) streams = catalog_.streams();
    std::erase_if(streams, [&](const StreamView& view) {
      const auto& stream = view.state.stream;
      return !changed.contains(stream) || !viewer_->may_view(stream);
    });
    if (!streams.empty()) {
      tell("event: streams\ndata: " + streams_json(streams, clock_.now(), transcodes_) + "\n\n");
    } else if (clock_.steady_now() - told >= kHeartbeat) {
      tell(":\n\n");
    }
  }

  void tell(std::string_view text) {
    std::function<void(Piece)> done;
    {
      std::lock_guard lock(mutex_);
      told_ = clock_.steady_now();
      done = std::exchange(waiting_, nullptr);
    }
    if (done) done(chain_of(text));
  }

 private:
  StreamCatalog& catalog_;
  const Clock& clock_;
  const bool transcodes_;
  const ViewerPtr viewer_;
  std::mutex mutex_;
  SteadyTime told_;
  std::function<void(Piece)> waiting_;
  std::set<std::string> changed_;
  bool is_new_ = true;  // of the server's thread
};

LiveEvents::LiveEvents(StreamCatalog& catalog, const Clock& clock, bool transcodes)
    : catalog_(catalog), clock_(clock), transcodes_(transcodes), state_(std::make_shared<State>()) {
  subscription_ = catalog.subscribe([state = state_](const std::set<std::string>& streams) {
    std::lock_guard lock(state->mutex);
    state->changed.insert(streams.begin(), streams.end());
    state->wakeup.notify_all();
  });
  thread_ = std::jthread([this](const StopToken& stop) { run(stop); });
}

LiveEvents::~LiveEvents() {
  stop();
}

void LiveEvents::stop() {
  subscription_.reset();
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<http::BodySource> LiveEvents::listen(ViewerPtr viewer) {
  auto client = std::make_shared<Client>(catalog_, clock_, transcodes_, std::move(viewer));
  std::lock_guard lock(state_->mutex);
  std::erase_if(state_->clients, [](const auto& other) { return other.expired(); });
  state_->clients.push_back(client);
  return client;
}

void LiveEvents::run(const StopToken& stop) {
  auto& state = *state_;
  while (!stop.stop_requested()) {
    std::set<std::string> changed;
    std::vector<std::shared_ptr<Client>> clients;
    {
      std::unique_lock lock(state.mutex);
      state.wakeup.wait_for(lock, stop, kHeartbeat, [&] { return !state.changed.empty(); });
      changed = std::exchange(state.changed, {});
      for (const auto& client : state.clients) {
        if (auto held = client.lock()) clients.push_back(std::move(held));
      }
    }
    for (const auto& client : clients) {
      client->add(changed);
      client->tell_changes();
    }
    clients.clear();
    std::unique_lock lock(state.mutex);
    state.wakeup.wait_for(lock, stop, kPause, [] { return false; });
  }
}

}  // namespace gopline::server
