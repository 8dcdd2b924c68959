#include "common/log/memory_log.h"
#include "common/log/memory_state.h"

// The levers of the memory log: failures of calls, and harm to what is stored.
namespace gopline {
namespace {

// Calls `change` with the record, if it is there, while nobody else looks.
template <typename Change>
bool with_record(MemoryLogState& state, const TopicPartition& where, Offset offset, Change change) {
  std::lock_guard lock(state.mutex);
  auto partition = state.find_partition(where);
  auto* record = partition ? (*partition)->find(offset) : nullptr;
  if (!record) return false;
  return change(**partition, *record);
}

}  // namespace

void MemoryLog::reject_next_appends(int count, Error error) {
  std::lock_guard lock(state_->mutex);
  state_->reject_appends = {count, std::move(error)};
}

void MemoryLog::fail_next_appends(int count, Error error) {
  std::lock_guard lock(state_->mutex);
  state_->fail_appends = {count, std::move(error)};
}

void MemoryLog::lose_next_acknowledgement(Error error) {
  std::lock_guard lock(state_->mutex);
  state_->lose_acknowledgements = {1, std::move(error)};
}

void MemoryLog::fail_next_polls(int count, Error error) {
  std::lock_guard lock(state_->mutex);
  state_->fail_polls = {count, std::move(error)};
}

void MemoryLog::deliver_nothing(bool away) {
  std::lock_guard lock(state_->mutex);
  state_->delivers_nothing = away;
  state_->changed.notify_all();
}

void MemoryLog::hold_acknowledgements(bool held) {
  std::lock_guard lock(state_->mutex);
  state_->held = held;
  for (auto* deliveries : state_->deliveries) deliveries->hold(held);
}

bool MemoryLog::flip_byte(const TopicPartition& where, Offset offset, std::size_t position) {
  return with_record(*state_, where, offset, [&](MemoryPartition&, StoredRecord& record) {
    if (!record.value || position >= record.value->size()) return false;
    std::vector<std::uint8_t> bytes(record.value->bytes().begin(), record.value->bytes().end());
    bytes[position] ^= 0xff;
    record.value = Buffer::take(std::move(bytes));
    return true;
  });
}

bool MemoryLog::truncate_value(const TopicPartition& where, Offset offset, std::size_t bytes) {
  return with_record(*state_, where, offset, [&](MemoryPartition&, StoredRecord& record) {
    if (!record.value || bytes > record.value->size()) return false;
    record.value = record.value->share(0, bytes);
    return true;
  });
}

bool MemoryLog::set_header(const TopicPartition& where, Offset offset, const Header& header) {
  return with_record(*state_, where, offset, [&](MemoryPartition&, StoredRecord& record) {
    for (auto& existing : record.headers) {
      if (existing.name == header.name) {
        existing.value = header.value;
        return true;
      }
    }
    record.headers.push_back(header);
    return true;
  });
}

bool MemoryLog::damage(const TopicPartition& where, Offset offset, Error error) {
  return with_record(*state_, where, offset, [&](MemoryPartition&, StoredRecord& record) {
    record.value = Buffer();
    record.pinned_bytes = 0;
    record.damage = std::move(error);
    return true;
  });
}

bool MemoryLog::drop_record(const TopicPartition& where, Offset offset) {
  return with_record(*state_, where, offset, [&](MemoryPartition& partition, StoredRecord&) {
    partition.records.erase(partition.at_or_after(offset));
    return true;
  });
}

bool MemoryLog::repeat_record(const TopicPartition& where, Offset offset) {
  return with_record(*state_, where, offset, [&](MemoryPartition& partition, StoredRecord& record) {
    auto again = record;
    again.offset = partition.end;
    partition.end = partition.end.next();
    partition.records.push_back(std::move(again));
    state_->changed.notify_all();
    return true;
  });
}

void MemoryLog::trim(const TopicPartition& where, Offset offset) {
  std::lock_guard lock(state_->mutex);
  auto partition = state_->find_partition(where);
  if (!partition) return;
  auto& records = (*partition)->records;
  records.erase(records.begin(), (*partition)->at_or_after(offset));
  (*partition)->begin = std::min(std::max(offset, (*partition)->begin), (*partition)->end);
}

}  // namespace gopline
