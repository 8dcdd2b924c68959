#pragma once
#include <gst/rtsp-server/rtsp-server.h>

#include <map>
#include <memory>
#include <string>

#include "tools/camera/options.h"
#include "tools/camera/stream.h"

namespace gopline::camera {

// All streams behind one address. Used by the thread that runs the default main context.
class Server {
 public:
  explicit Server(Options options);  // listens; throws std::runtime_error
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  const std::map<std::string, std::shared_ptr<Stream>>& streams() const { return streams_; }

  void listen();                     // again, after ignore()
  void ignore();                     // nobody listens at the port; who is connected stays
  void close(const Stream* stream);  // the connections of those who watch it; of all if there is none
  unsigned connections();            // at the moment
  void set_password(const std::string& password);  // for requests from now on

 private:
  void set_auth();
  static void welcome(GstRTSPServer* server, GstRTSPClient* client, gpointer self);
  static GstRTSPStatusCode check(GstRTSPClient* client, GstRTSPContext* context, gpointer self);

  Options options_;
  GPtr<GstRTSPServer> server_;
  GPtr<GstRTSPAddressPool> udp_ports_;
  std::map<std::string, std::shared_ptr<Stream>> streams_;
  guint listening_ = 0;  // the source in the main context
};

}  // namespace gopline::camera
