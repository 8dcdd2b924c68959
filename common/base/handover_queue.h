#pragma once
#include <blockingconcurrentqueue.h>

namespace gopline {

// moodycamel's own look 10 000 times whether something has come, some 10 us of a core, before they sleep:
// more than being woken costs, and paid again for every packet of every source that is paced.
struct SleepsSoon : moodycamel::ConcurrentQueueDefaultTraits {
  static const int MAX_SEMA_SPINS = 100;
};

// Joins two threads; how much may wait in it is for its user to bound. Order is kept per producer token.
template <typename T>
using HandoverQueue = moodycamel::BlockingConcurrentQueue<T, SleepsSoon>;

}  // namespace gopline
