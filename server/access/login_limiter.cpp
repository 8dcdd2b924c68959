#include "server/access/login_limiter.h"

#include <algorithm>

namespace gopline::server {

bool LoginLimiter::admit(const std::string& key, SteadyTime now) {
  std::lock_guard lock(mutex_);
  if (!buckets_.contains(key)) make_room(now);
  auto [place, is_new] = buckets_.try_emplace(key, Bucket{burst_, now});
  auto& bucket = place->second;
  auto waited = std::chrono::duration<double>(now - bucket.filled) / std::chrono::duration<double>(pause_);
  bucket.left = std::min(burst_, bucket.left + waited);
  bucket.filled = now;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

void LoginLimiter::forgive(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (auto found = buckets_.find(key); found != buckets_.end())
    found->second.left = std::min(burst_, found->second.left + 1);
}

// Who has not guessed for the longest time is forgotten first.
void LoginLimiter::make_room(SteadyTime now) {
  if (buckets_.size() < most_keys_) return;
  std::erase_if(buckets_, [&](const auto& entry) { return now - entry.second.filled > burst_ * pause_; });
  if (buckets_.size() < most_keys_) return;
  buckets_.erase(std::min_element(buckets_.begin(), buckets_.end(), [](const auto& a, const auto& b) {
    return a.second.filled < b.second.filled;
  }));
}

}  // namespace gopline::server
