#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/http/message.h"

namespace gopline::server {

// Which pages of other sites may read what is answered (Fetch Standard, 3.2: CORS). None, unless somebody
// names their origins; those may have the browser say who is there, too. "*" lets every page read what
// everybody may see, and never sends what a person's browser knows of them.
class CrossOrigin {
 public:
  CrossOrigin() = default;
  // Of "https://wall.example.org", "http://localhost:3000", or "*" alone. kInvalidArgument shows a right one.
  static Result<CrossOrigin> of(const std::vector<std::string>& origins);

  // Whether the page that asks is one that was named.
  bool trusts(const http::Request& request) const;
  // The answer to a browser that asks whether a page may ask (OPTIONS); nullopt: it does not.
  std::optional<http::Response> preflight(const http::Request& request) const;
  void add_headers(const http::Request& request, http::Response& response) const;

 private:
  bool admits(const http::Request& request) const;

  bool any_ = false;
  std::vector<std::string> origins_;
};

}  // namespace gopline::server
