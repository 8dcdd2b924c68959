#pragma once
#include <memory>
#include <optional>
#include <span>

namespace gopline::analyzer {

// How loud sound is, as EBU R128 says. Not thread-safe.
class Loudness {
 public:
  enum class Of {
    kMoment,  // the newest part alone: as small after days as at the beginning
    kWhole,   // all that is added
  };
  // Of sound of so many channels, interleaved, so many samples a second.
  Loudness(int channels, int rate, Of of);
  ~Loudness();
  Loudness(Loudness&&) noexcept;
  Loudness& operator=(Loudness&&) noexcept;

  void add(std::span<const float> samples);
  // In LUFS and LU; nullopt: nothing that can be heard.
  std::optional<double> momentary() const;  // of the newest 400 ms
  // Of kWhole:
  std::optional<double> integrated() const;  // silence left out
  std::optional<double> range() const;
  std::optional<double> peak() const;  // of the samples, in dBFS

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gopline::analyzer
