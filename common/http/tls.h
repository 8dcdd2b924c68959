#pragma once
#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "common/base/result.h"
#include "common/http/http_server.h"

// Included by the .cpp files of this room that know TLS.
namespace gopline::http {

using TlsContextPtr = std::shared_ptr<boost::asio::ssl::context>;

// What a server shows and proves itself by: TLS 1.2 and 1.3, ciphers with forward secrecy, no compression and
// no renegotiation. The error names the file, and says whether key and certificate belong together.
Result<TlsContextPtr> make_tls_context(const TlsFiles& files);

}  // namespace gopline::http
