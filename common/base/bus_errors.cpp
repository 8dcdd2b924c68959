#include "common/base/bus_errors.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <utility>
#include <vector>

namespace gopline {
namespace {

// A handler can be told nothing and may lock nothing: what it needs is static and atomic.
struct Slot {
  std::atomic<std::uintptr_t> begin{0};  // 0: free, or not yet filled in
  std::atomic<std::uintptr_t> end{0};
  std::atomic<std::atomic<bool>*> damaged{nullptr};
};
constexpr std::size_t kSlots = 16384;
std::array<Slot, kSlots> slots;             // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
thread_local std::uint64_t errors_met = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
struct sigaction before_us {};              // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::size_t page_size = 0;                  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

const Slot* slot_of(std::uintptr_t address) {
  for (const auto& slot : slots) {
    auto begin = slot.begin.load(std::memory_order_acquire);
    if (begin != 0 && address >= begin && address < slot.end.load(std::memory_order_relaxed)) return &slot;
  }
  return nullptr;
}

// Only what a handler may call: mmap is a bare system call.
void on_bus_error(int number, siginfo_t* info, void* context) {
  auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  const auto* slot = slot_of(address);
  auto* begin =
      reinterpret_cast<void*>(address / page_size * page_size);  // NOLINT(performance-no-int-to-ptr)
  if (slot &&
      mmap(begin, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
    ++errors_met;
    slot->damaged.load(std::memory_order_relaxed)->store(true);
    return;
  }
  if (before_us.sa_flags & SA_SIGINFO) return before_us.sa_sigaction(number, info, context);
  // The instruction is tried again, now with the handler that was there, and ends the program.
  sigaction(SIGBUS, &before_us, nullptr);
}

void handle_bus_errors() {
  static const bool once = [] {
    page_size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, &before_us) == 0;
  }();
  static_cast<void>(once);
}

// The slots that are free, for those who watch; the handler does not ask.
class FreeSlots {
 public:
  static FreeSlots& instance() {
    static FreeSlots all;
    return all;
  }
  std::optional<std::size_t> take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return std::nullopt;
    auto slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(std::size_t slot) {
    std::lock_guard lock(mutex_);
    free_.push_back(slot);
  }

 private:
  FreeSlots() {
    for (std::size_t i = kSlots; i > 0; --i) free_.push_back(i - 1);
  }
  std::mutex mutex_;
  std::vector<std::size_t> free_;
};

}  // namespace

std::uint64_t bus_errors_of_this_thread() {
  return errors_met;
}

Result<void> MappedReads::were_whole() const {
  if (bus_errors_of_this_thread() == before_) return {};
  return fail(ErrorCode::kCorrupt, "the source was cut off while it was read");
}

std::optional<WatchedRange> WatchedRange::watch(std::span<const std::uint8_t> bytes,
                                                std::atomic<bool>& damaged) {
  handle_bus_errors();
  auto index = FreeSlots::instance().take();
  if (!index) return std::nullopt;
  auto& slot = slots[*index];
  slot.damaged.store(&damaged, std::memory_order_relaxed);
  auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  slot.end.store(begin + bytes.size(), std::memory_order_relaxed);
  slot.begin.store(begin, std::memory_order_release);
  return WatchedRange(*index);
}

WatchedRange::~WatchedRange() {
  if (slot_ == kNone) return;
  slots[slot_].begin.store(0, std::memory_order_release);
  FreeSlots::instance().give_back(slot_);
}

}  // namespace gopline
