#include "lake/refresh_state.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace meesh::lake {
namespace {

RefreshState example() {
  RefreshState state;
  state.view_version_id = 3;
  state.started_ms = 1'700'000'000'000;
  state.sources = {{false, {{"sales"}, "orders"}, "u1", 77, 0},
                   {false, {{"sales"}, "empty"}, "u2", -1, 0},
                   {true, {{"sales"}, "big"}, "u3", -1, 2}};
  return state;
}

TEST(RefreshState, IsReadAsItWasWritten) {
  auto state = example();
  EXPECT_EQ(parse_refresh_state(refresh_state_json(state)), state);
  EXPECT_EQ(depends_on_tables(state), "sales.orders=77,sales.empty=");
  state.others = true;
  EXPECT_EQ(parse_refresh_state(refresh_state_json(state)), state);
  EXPECT_EQ(depends_on_tables(state), "UNKNOWN");
}

TEST(RefreshState, OfOthersIsReadOrIsNone) {
  // As the proposal's example has it.
  const auto state = parse_refresh_state(
      R"({"view-version-id":1,"refresh-start-timestamp-ms":1573518435000,"source-states":[
          {"type":"table","namespace":["default"],"name":"events","uuid":"d4","snapshot-id":614,
           "ref":"main"}]})");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->sources.at(0).snapshot_id, 614);
  for (const char* text : {"", "[]", "{}", R"({"view-version-id":1})",
                           R"({"view-version-id":"1","refresh-start-timestamp-ms":1,
                               "source-states":[]})"}) {
    EXPECT_EQ(parse_refresh_state(text), std::nullopt) << text;
  }
}

Snapshot snapshot(int64_t id, const char* operation, std::optional<RefreshState> state = {}) {
  Snapshot made;
  made.id = id;
  if (id > 1) made.parent_id = id - 1;
  made.summary = {{"operation", operation}};
  if (state) made.summary.merge(refresh_summary(*state));
  return made;
}

TEST(RefreshState, IsThatOfTheRowsThatAreThere) {
  TableMetadata storage;
  EXPECT_EQ(refresh_state(storage), std::nullopt);
  storage.properties = refresh_properties(example());
  EXPECT_EQ(refresh_state(storage), std::nullopt) << "it has no rows";
  storage.snapshots = {snapshot(1, "overwrite", example()), snapshot(2, "replace")};
  storage.current_snapshot_id = 2;
  EXPECT_EQ(refresh_state(storage), example());
  storage.snapshots.push_back(snapshot(3, "append"));
  storage.current_snapshot_id = 3;
  EXPECT_EQ(refresh_state(storage), std::nullopt) << "somebody added rows";
  storage.snapshots = {snapshot(2, "replace")};
  storage.current_snapshot_id = 2;
  EXPECT_EQ(refresh_state(storage), example()) << "the refresh's own snapshot has expired";
}

}  // namespace
}  // namespace meesh::lake
