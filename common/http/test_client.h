#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace gopline::http {

// For tests: a connection that says to a server what it is told to, byte for byte.
class TestClient {
 public:
  explicit TestClient(std::uint16_t port, const std::string& host = "127.0.0.1") {
    socket_.connect({boost::asio::ip::make_address(host), port});
  }

  // False: the server has closed.
  bool send(std::string_view text) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(text.data(), text.size()), error);
    return !error;
  }

  // One response, header and body, as it came; what came of it if the server closes in the middle.
  std::string receive(bool with_body = true) {
    boost::system::error_code error;
    auto header = boost::asio::read_until(socket_, boost::asio::dynamic_buffer(unread_), "\r\n\r\n", error);
    if (error) return std::exchange(unread_, {});
    auto size = header + (with_body ? content_length(unread_.substr(0, header)) : 0);
    if (unread_.size() < size) {
      auto rest = boost::asio::transfer_exactly(size - unread_.size());
      boost::asio::read(socket_, boost::asio::dynamic_buffer(unread_), rest, error);
    }
    auto response = unread_.substr(0, size);
    unread_.erase(0, response.size());
    return response;
  }

  // So many bytes; fewer if the server closes.
  std::string receive_bytes(std::size_t count) {
    boost::system::error_code error;
    if (unread_.size() < count) {
      auto rest = boost::asio::transfer_exactly(count - unread_.size());
      boost::asio::read(socket_, boost::asio::dynamic_buffer(unread_), rest, error);
    }
    auto bytes = unread_.substr(0, count);
    unread_.erase(0, bytes.size());
    return bytes;
  }

  std::string ask(std::string_view request) {
    send(request);
    return receive();
  }

  // Waits for the server to close; what it says before that.
  std::string await_close() {
    boost::system::error_code error;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(unread_), error);
    return std::exchange(unread_, {});
  }

 private:
  static std::size_t content_length(std::string_view header) {
    constexpr std::string_view kName = "Content-Length: ";
    auto at = header.find(kName);
    return at == std::string_view::npos ? 0 : std::stoul(std::string(header.substr(at + kName.size())));
  }

  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_{context_};
  std::string unread_;
};

}  // namespace gopline::http
