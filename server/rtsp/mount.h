#pragma once
#include <gst/rtsp-server/rtsp-server.h>

#include <memory>
#include <string>

#include "aggregator/outputs/live_output.h"
#include "server/rtsp/relay.h"

namespace gopline::server {

inline constexpr const char* kViewer = "viewer";  // the role of who may watch

// A path of the server's, and what is served there.
class Mount final : public aggregator::LiveDelivery {
 public:
  Mount(GPtr<GstRTSPServer> server, GPtr<GstRTSPAddressPool> udp_ports, std::string path, std::string stream);
  ~Mount() override;

  Result<void> check(const aggregator::LiveRun& run) const override;
  void begin_run(const aggregator::LiveRun& run) override;
  Result<void> deliver(const aggregator::LivePacket& packet) override;
  void finish() override;
  aggregator::LiveOutputStats stats() const override { return relay_->stats(); }

 private:
  void offer();
  void withdraw();
  void dismiss_clients();

  const GPtr<GstRTSPServer> server_;
  const GPtr<GstRTSPAddressPool> udp_ports_;
  const std::string path_, stream_;
  const std::shared_ptr<Relay> relay_;
  GPtr<GstRTSPMediaFactory> factory_;  // while something is offered
  std::vector<std::size_t> offered_;   // tracks
};

}  // namespace gopline::server
