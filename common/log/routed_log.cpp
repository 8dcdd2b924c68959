#include "common/log/routed_log.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

#include "common/log/atomic_publish.h"

namespace gopline {
namespace {

// Which log a topic lies in. Logs outlive what is made of them.
class Routes {
 public:
  Routes(std::unique_ptr<Log> main, std::map<std::string, std::unique_ptr<Log>> elsewhere)
      : main_(std::move(main)), elsewhere_(std::move(elsewhere)) {}

  Log& main() const { return *main_; }
  Log& log_of(const std::string& topic) const {
    auto found = elsewhere_.find(topic);
    return found == elsewhere_.end() ? *main_ : *found->second;
  }
  std::vector<Log*> all() const {
    std::vector<Log*> logs{main_.get()};
    for (const auto& [topic, log] : elsewhere_) logs.push_back(log.get());
    return logs;
  }
  const std::map<std::string, std::unique_ptr<Log>>& elsewhere() const { return elsewhere_; }

 private:
  std::unique_ptr<Log> main_;
  std::map<std::string, std::unique_ptr<Log>> elsewhere_;
};

class RoutedWriter final : public LogWriter {
 public:
  RoutedWriter(const Routes& routes, std::map<Log*, std::unique_ptr<LogWriter>> writers)
      : routes_(routes), writers_(std::move(writers)) {}

  Result<void> append(const TopicPartition& where, NewRecord record, DeliveryCallback on_delivery,
                      StopToken stop) override {
    return writer_of(where).append(where, std::move(record), std::move(on_delivery), std::move(stop));
  }
  Result<Offset> append_and_wait(const TopicPartition& where, NewRecord record) override {
    return writer_of(where).append_and_wait(where, std::move(record));
  }
  Result<void> flush() override {
    Result<void> outcome;
    for (auto& [log, writer] : writers_) {
      auto flushed = writer->flush();
      if (!flushed && outcome) outcome = std::move(flushed);
    }
    return outcome;
  }

 private:
  LogWriter& writer_of(const TopicPartition& where) { return *writers_.at(&routes_.log_of(where.topic)); }

  const Routes& routes_;
  std::map<Log*, std::unique_ptr<LogWriter>> writers_;
};

// Polls its logs in turn; while one alone has partitions, that one does the waiting.
class RoutedReader final : public LogReader, public AtomicPublisher {
 public:
  RoutedReader(const Routes& routes, std::map<Log*, std::unique_ptr<LogReader>> readers)
      : routes_(routes), readers_(std::move(readers)) {}

  Result<void> assign(const std::vector<std::pair<TopicPartition, StartPosition>>& partitions) override {
    std::map<Log*, std::vector<std::pair<TopicPartition, StartPosition>>> shares;
    for (const auto& item : partitions) shares[&routes_.log_of(item.first.topic)].push_back(item);
    busy_.clear();
    for (auto& [log, reader] : readers_) {
      auto share = shares.find(log);
      if (share != shares.end()) busy_.push_back(reader.get());
      GOPLINE_TRY(reader->assign(share == shares.end() ? decltype(share->second){} : share->second));
    }
    return {};
  }

  Result<void> subscribe(const std::vector<std::string>& topics, StartPosition first_start) override {
    std::set<Log*> logs;
    for (const auto& topic : topics) logs.insert(&routes_.log_of(topic));
    if (logs.size() > 1) {
      return fail(ErrorCode::kUnsupported, "the topics of one group have to lie in one log");
    }
    busy_.clear();
    if (logs.empty()) return {};
    busy_.push_back(readers_.at(*logs.begin()).get());
    return busy_.front()->subscribe(topics, first_start);
  }

  std::vector<TopicPartition> assignment() const override {
    std::vector<TopicPartition> out;
    for (const auto* reader : busy_) {
      auto some = reader->assignment();
      out.insert(out.end(), some.begin(), some.end());
    }
    return out;
  }

  Result<std::vector<StoredRecord>> poll(Duration max_wait) override {
    if (busy_.empty()) return readers_.at(&routes_.main())->poll(max_wait);
    if (busy_.size() == 1) return busy_.front()->poll(max_wait);
    auto until = std::chrono::steady_clock::now() + std::min<Duration>(max_wait, std::chrono::hours(24));
    for (;;) {
      for (std::size_t i = 0; i < busy_.size(); ++i) {
        next_ = (next_ + 1) % busy_.size();
        auto left = std::chrono::duration_cast<Duration>(until - std::chrono::steady_clock::now());
        auto share = std::clamp<Duration>(left, Duration(0), kTurn);
        auto records = busy_[next_]->poll(share);
        if (!records || !records->empty() || woken_.exchange(false)) return records;
      }
      if (std::chrono::steady_clock::now() >= until) return std::vector<StoredRecord>();
    }
  }

  void wakeup() override {
    woken_ = true;
    for (auto& [log, reader] : readers_) reader->wakeup();
  }

  Result<Offset> position(const TopicPartition& where) override { return reader_of(where).position(where); }
  Result<std::int64_t> lag(const TopicPartition& where) override { return reader_of(where).lag(where); }
  Result<void> seek(const TopicPartition& where, StartPosition position) override {
    return reader_of(where).seek(where, position);
  }
  Result<void> commit(const TopicPartition& where, Offset next) override {
    return reader_of(where).commit(where, next);
  }
  Result<void> publish_and_commit(const std::vector<RecordToPublish>& records,
                                  const std::map<TopicPartition, Offset>& next) override {
    std::set<Log*> logs;
    for (const auto& record : records) logs.insert(&routes_.log_of(record.where.topic));
    for (const auto& [where, offset] : next) logs.insert(&routes_.log_of(where.topic));
    if (logs.size() > 1) return fail(ErrorCode::kUnsupported, "the topics lie in several logs");
    return logs.empty() ? Result<void>()
                        : gopline::publish_and_commit(*readers_.at(*logs.begin()), records, next);
  }
  Result<std::optional<Offset>> committed(const TopicPartition& where) override {
    return reader_of(where).committed(where);
  }

 private:
  static constexpr Duration kTurn = std::chrono::milliseconds(20);

  LogReader& reader_of(const TopicPartition& where) { return *readers_.at(&routes_.log_of(where.topic)); }

  const Routes& routes_;
  std::map<Log*, std::unique_ptr<LogReader>> readers_;
  std::vector<LogReader*> busy_;
  std::size_t next_ = 0;
  std::atomic<bool> woken_ = false;
};

class RoutedLog final : public Log {
 public:
  RoutedLog(std::unique_ptr<Log> main, std::map<std::string, std::unique_ptr<Log>> elsewhere)
      : routes_(std::move(main), std::move(elsewhere)) {}

  Result<TopicInfo> ensure_topic(const TopicSpec& spec) override {
    return routes_.log_of(spec.name).ensure_topic(spec);
  }
  Result<TopicInfo> describe_topic(const std::string& name) override {
    return routes_.log_of(name).describe_topic(name);
  }
  Result<std::vector<std::string>> list_topics() override {
    GOPLINE_ASSIGN(auto names, routes_.main().list_topics());
    std::erase_if(names, [&](const auto& name) { return routes_.elsewhere().contains(name); });
    for (const auto& [topic, log] : routes_.elsewhere()) {
      GOPLINE_ASSIGN(auto there, log->list_topics());
      if (std::ranges::find(there, topic) != there.end()) names.push_back(topic);
    }
    return names;
  }
  Result<void> add_partitions(const std::string& name, std::int32_t partitions) override {
    return routes_.log_of(name).add_partitions(name, partitions);
  }
  Result<void> delete_topic(const std::string& name) override {
    return routes_.log_of(name).delete_topic(name);
  }
  Result<OffsetRange> offsets(const TopicPartition& where) override {
    return routes_.log_of(where.topic).offsets(where);
  }
  Result<void> apply_retention() override {
    for (auto* log : routes_.all()) GOPLINE_TRY(log->apply_retention());
    return {};
  }
  Result<std::unique_ptr<LogWriter>> make_writer(LogWriterOptions options) override {
    std::map<Log*, std::unique_ptr<LogWriter>> writers;
    for (auto* log : routes_.all()) {
      GOPLINE_ASSIGN(writers[log], log->make_writer(options));
    }
    return std::make_unique<RoutedWriter>(routes_, std::move(writers));
  }
  Result<std::unique_ptr<LogReader>> make_reader(LogReaderOptions options) override {
    std::map<Log*, std::unique_ptr<LogReader>> readers;
    for (auto* log : routes_.all()) {
      GOPLINE_ASSIGN(readers[log], log->make_reader(options));
    }
    return std::make_unique<RoutedReader>(routes_, std::move(readers));
  }
  std::uint64_t comfortable_value_bytes() const override { return routes_.main().comfortable_value_bytes(); }
  bool compresses() const override { return routes_.main().compresses(); }
  bool reads_headers_alone() const override { return routes_.main().reads_headers_alone(); }
  std::string describe() const override {
    auto out = routes_.main().describe();
    for (const auto& [topic, log] : routes_.elsewhere()) {
      out += fmt::format(", {} in {}", topic, log->describe());
    }
    return out;
  }

 private:
  Routes routes_;
};

}  // namespace

std::unique_ptr<Log> make_routed_log(std::unique_ptr<Log> main,
                                     std::map<std::string, std::unique_ptr<Log>> elsewhere) {
  return std::make_unique<RoutedLog>(std::move(main), std::move(elsewhere));
}

}  // namespace gopline
