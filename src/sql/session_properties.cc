#include "sql/session_properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "sql/lexer.h"

namespace meesh::sql {
namespace {

using T = TypeKind;
using C = SessionProperty::Check;

// clang-format off
constexpr std::array kProperties = std::to_array<SessionProperty>({
    {"adaptive_partial_aggregation_enabled", "true", T::kBoolean, C::kNone, false,
     "When enabled, partial aggregation might be adaptively turned off when it does not provide any performance gain"},
    {"adaptive_partial_aggregation_unique_rows_ratio_threshold", "0.8", T::kDouble, C::kNone, false,
     "Ratio between aggregation output and input rows above which partial aggregation might be adaptively turned off"},
    {"aggregation_operator_unspill_memory_limit", "4MB", T::kVarchar, C::kDataSize, false,
     "How much memory should be allocated per aggregation operator in unspilling process"},
    {"collect_plan_statistics_for_all_queries", "false", T::kBoolean, C::kNone, false,
     "Collect plan statistics for non-EXPLAIN queries"},
    {"colocated_join", "true", T::kBoolean, C::kNone, false,
     "Use a colocated join when possible"},
    {"columnar_filter_evaluation_enabled", "true", T::kBoolean, C::kNone, false,
     "Enables columnar evaluation of filters"},
    {"default_filter_factor_enabled", "false", T::kBoolean, C::kNone, false,
     "use a default filter factor for unknown filters in a filter node"},
    {"determine_partition_count_for_write_enabled", "false", T::kBoolean, C::kNone, false,
     "Determine the number of partitions based on amount of data read and processed by the query for write queries"},
    {"dictionary_aggregation", "false", T::kBoolean, C::kNone, false,
     "Enable optimization for aggregations on dictionaries"},
    {"distinct_aggregations_strategy", "", T::kVarchar, C::kChoice, false,
     "Strategy to use for distinct aggregations.. Possible values: [SINGLE_STEP, MARK_DISTINCT, PRE_AGGREGATE, SPLIT_TO_SUBQUERIES, AUTOMATIC]"},
    {"distributed_sort", "true", T::kBoolean, C::kNone, false,
     "Parallelize sort across multiple nodes"},
    {"dynamic_row_filtering_selectivity_threshold", "0.7", T::kDouble, C::kNone, false,
     "Avoid using dynamic row filters when fraction of rows selected is above threshold"},
    {"enable_dynamic_filtering", "true", T::kBoolean, C::kNone, false,
     "Enable dynamic filtering"},
    {"enable_dynamic_row_filtering", "true", T::kBoolean, C::kNone, false,
     "Enable fine-grained filtering of rows in the scan operator using dynamic filters"},
    {"enable_intermediate_aggregations", "false", T::kBoolean, C::kNone, false,
     "Enable the use of intermediate aggregations"},
    {"enable_large_dynamic_filters", "true", T::kBoolean, C::kNone, false,
     "Enable collection of large dynamic filters"},
    {"enable_stats_calculator", "true", T::kBoolean, C::kNone, false,
     "Enable statistics calculator"},
    {"exchange_compression_codec", "NONE", T::kVarchar, C::kChoice, false,
     "Compression codec used for data in exchanges, supports NONE, LZ4, ZSTD. Possible values: [NONE, LZ4, ZSTD]"},
    {"execution_policy", "phased", T::kVarchar, C::kNone, false,
     "Policy used for scheduling query tasks"},
    {"fault_tolerant_execution_adaptive_join_reordering_enabled", "true", T::kBoolean, C::kNone, false,
     "Reorder partitioned join based on run time stats in fault tolerant execution"},
    {"fault_tolerant_execution_adaptive_query_planning_enabled", "true", T::kBoolean, C::kNone, false,
     "Enable adaptive query planning for the fault tolerant execution"},
    {"filter_and_project_min_output_page_row_count", "256", T::kInteger, C::kNone, false,
     "Experimental: Minimum output page row count for filter and project operators"},
    {"filter_and_project_min_output_page_size", "500kB", T::kVarchar, C::kDataSize, false,
     "Experimental: Minimum output page size for filter and project operators"},
    {"filter_conjunction_independence_factor", "0.75", T::kDouble, C::kNone, false,
     "Scales the strength of independence assumption for selectivity estimates of the conjunction of multiple filters"},
    {"force_spilling_join", "false", T::kBoolean, C::kNone, false,
     "Force the usage of spliing join operator in favor of the non-spilling one, even if spill is not enabled"},
    {"hide_inaccessible_columns", "false", T::kBoolean, C::kNone, false,
     "When enabled non-accessible columns are silently filtered from results from SELECT * statements"},
    {"ignore_downstream_preferences", "false", T::kBoolean, C::kNone, false,
     "Ignore Parent's PreferredProperties in AddExchange optimizer"},
    {"ignore_stats_calculator_failures", "true", T::kBoolean, C::kNone, false,
     "Ignore statistics calculator failures"},
    {"incremental_hash_array_load_factor_enabled", "true", T::kBoolean, C::kNone, false,
     "Use smaller load factor for small hash arrays in order to improve performance"},
    {"initial_splits_per_node", "4", T::kInteger, C::kNone, false,
     "The number of splits each node will run per task, initially"},
    {"iterative_optimizer_timeout", "3.00m", T::kVarchar, C::kDuration, false,
     "Timeout for plan optimization in iterative optimizer"},
    {"join_distribution_type", "AUTOMATIC", T::kVarchar, C::kChoice, false,
     "Join distribution type. Possible values: [BROADCAST, PARTITIONED, AUTOMATIC]"},
    {"join_max_broadcast_table_size", "100MB", T::kVarchar, C::kDataSize, false,
     "Maximum estimated size of a table that can be broadcast when using automatic join type selection"},
    {"join_multi_clause_independence_factor", "0.25", T::kDouble, C::kNone, false,
     "Scales the strength of independence assumption for selectivity estimates of multi-clause joins"},
    {"join_partitioned_build_min_row_count", "1000000", T::kBigint, C::kNone, false,
     "Minimum number of join build side rows required to use partitioned join lookup"},
    {"join_reordering_strategy", "AUTOMATIC", T::kVarchar, C::kChoice, false,
     "Join reordering strategy. Possible values: [NONE, ELIMINATE_CROSS_JOINS, AUTOMATIC]"},
    {"mark_distinct_strategy", "", T::kVarchar, C::kChoice, false,
     "Deprecated. Strategy to use for distinct aggregations.. Possible values: [NONE, ALWAYS, AUTOMATIC]"},
    {"max_drivers_per_task", "", T::kInteger, C::kNone, false,
     "Maximum number of drivers per task"},
    {"max_hash_partition_count", "100", T::kInteger, C::kNone, false,
     "Maximum number of partitions for distributed joins and aggregations"},
    {"max_partial_top_n_memory", "16MB", T::kVarchar, C::kDataSize, false,
     "Max memory size for partial Top N aggregations. This can be turned off by setting it with '0'."},
    {"max_recursion_depth", "10", T::kInteger, C::kAtLeastOne, false,
     "Maximum recursion depth for recursive common table expression"},
    {"max_reordered_joins", "8", T::kInteger, C::kNone, false,
     "The maximum number of joins to reorder as one group in cost-based join reordering"},
    {"max_tasks_waiting_for_execution_per_query", "10", T::kInteger, C::kNone, false,
     "Maximum number of tasks waiting to be scheduled per query. Split enumeration is paused by the scheduler when this threshold is crossed"},
    {"max_tasks_waiting_for_node_per_query", "50", T::kInteger, C::kNone, false,
     "Maximum possible number of tasks waiting for node allocation per query before scheduling of new tasks is paused"},
    {"max_unacknowledged_splits_per_task", "2000", T::kInteger, C::kNone, false,
     "Maximum number of leaf splits awaiting delivery to a given task"},
    {"max_writer_task_count", "100", T::kInteger, C::kNone, false,
     "Maximum number of tasks that will participate in writing data"},
    {"merge_project_with_values", "true", T::kBoolean, C::kNone, false,
     "Inline project expressions into values"},
    {"min_hash_partition_count", "4", T::kInteger, C::kNone, false,
     "Minimum number of partitions for distributed joins and aggregations"},
    {"min_hash_partition_count_for_write", "50", T::kInteger, C::kNone, false,
     "Minimum number of partitions for distributed joins and aggregations in write queries"},
    {"min_input_rows_per_task", "10000000", T::kBigint, C::kNone, false,
     "Minimum input rows required per task. This will help optimizer determine hash partition count for joins and aggregations"},
    {"min_input_size_per_task", "5GB", T::kVarchar, C::kDataSize, false,
     "Minimum input data size required per task. This will help optimizer determine hash partition count for joins and aggregations"},
    {"non_estimatable_predicate_approximation_enabled", "true", T::kBoolean, C::kNone, false,
     "Approximate the cost of filters which cannot be accurately estimated even with complete statistics"},
    {"omit_datetime_type_precision", "false", T::kBoolean, C::kNone, false,
     "Omit precision when rendering datetime type names with default precision"},
    {"optimize_duplicate_insensitive_joins", "true", T::kBoolean, C::kNone, false,
     "Optimize duplicate insensitive joins"},
    {"optimize_metadata_queries", "false", T::kBoolean, C::kNone, false,
     "Enable optimization for metadata queries"},
    {"optimize_top_n_ranking", "true", T::kBoolean, C::kNone, false,
     "Use top N ranking optimization"},
    {"pre_aggregate_case_aggregations_enabled", "true", T::kBoolean, C::kNone, false,
     "Pre-aggregate rows before GROUP BY with multiple CASE aggregations on same column"},
    {"predicate_pushdown_use_table_properties", "true", T::kBoolean, C::kNone, false,
     "Use table properties in predicate pushdown"},
    {"prefer_partial_aggregation", "true", T::kBoolean, C::kNone, false,
     "Prefer splitting aggregations into partial and final stages"},
    {"prefer_streaming_operators", "false", T::kBoolean, C::kNone, false,
     "Prefer source table layouts that produce streaming operators"},
    {"push_aggregation_through_outer_join", "true", T::kBoolean, C::kNone, false,
     "Allow pushing aggregations below joins"},
    {"push_filter_into_values_max_row_count", "100", T::kInteger, C::kNone, false,
     "Maximum number of rows in values for which filter is pushed down into values"},
    {"push_partial_aggregation_through_join", "true", T::kBoolean, C::kNone, false,
     "Push partial aggregations below joins"},
    {"push_table_write_through_union", "true", T::kBoolean, C::kNone, false,
     "Parallelize writes when using UNION ALL in queries that write data"},
    {"query_max_cpu_time", "1000000000.00d", T::kVarchar, C::kDuration, false,
     "Maximum CPU time of a query"},
    {"query_max_execution_time", "100.00d", T::kVarchar, C::kDuration, false,
     "Maximum execution time of a query"},
    {"query_max_memory", "20GB", T::kVarchar, C::kDataSize, true,
     "Maximum amount of distributed memory a query can use"},
    {"query_max_memory_per_node", "", T::kVarchar, C::kDataSize, true,
     "Maximum amount of memory a query can use per node"},
    {"query_max_planning_time", "10.00m", T::kVarchar, C::kDuration, false,
     "Maximum planning time of a query"},
    {"query_max_run_time", "100.00d", T::kVarchar, C::kDuration, false,
     "Maximum run time of a query (includes the queueing time)"},
    {"query_max_scan_physical_bytes", "", T::kVarchar, C::kDataSize, false,
     "Maximum scan physical bytes of a query"},
    {"query_max_total_memory", "40GB", T::kVarchar, C::kDataSize, true,
     "Maximum amount of distributed total memory a query can use"},
    {"query_priority", "1", T::kInteger, C::kNone, false,
     "The priority of queries. Larger numbers are higher priority"},
    {"query_retry_attempts", "4", T::kInteger, C::kNone, false,
     "Maximum number of query retry attempts"},
    {"redistribute_writes", "true", T::kBoolean, C::kNone, false,
     "Force parallel distributed writes"},
    {"remote_task_adaptive_update_request_size_enabled", "true", T::kBoolean, C::kNone, false,
     "Experimental: Enable adaptive adjustment for size of remote task update request"},
    {"remote_task_guaranteed_splits_per_request", "3", T::kInteger, C::kNone, false,
     "Guaranteed splits per remote task request"},
    {"remote_task_max_request_size", "8MB", T::kVarchar, C::kDataSize, false,
     "Experimental: Max size of remote task update request"},
    {"remote_task_request_size_headroom", "2MB", T::kVarchar, C::kDataSize, false,
     "Experimental: Headroom for size of remote task update request"},
    {"required_workers_count", "1", T::kInteger, C::kNone, false,
     "Minimum number of active workers that must be available before the query will start"},
    {"required_workers_max_wait_time", "5.00m", T::kVarchar, C::kDuration, false,
     "Maximum time to wait for minimum number of workers before the query is failed"},
    {"resource_overcommit", "false", T::kBoolean, C::kNone, false,
     "Use resources which are not guaranteed to be available to the query"},
    {"retry_delay_scale_factor", "2.0", T::kDouble, C::kNone, false,
     "Maximum delay before initiating a retry attempt. Delay increases exponentially for each subsequent attempt starting from 'retry_initial_delay'"},
    {"retry_initial_delay", "10.00s", T::kVarchar, C::kDuration, false,
     "Initial delay before initiating a retry attempt. Delay increases exponentially for each subsequent attempt up to 'retry_max_delay'"},
    {"retry_max_delay", "1.00m", T::kVarchar, C::kDuration, false,
     "Maximum delay before initiating a retry attempt. Delay increases exponentially for each subsequent attempt starting from 'retry_initial_delay'"},
    {"retry_policy", "NONE", T::kVarchar, C::kChoice, true,
     "Retry policy. Possible values: [TASK, QUERY, NONE]"},
    {"rewrite_filtering_semi_join_to_inner_join", "true", T::kBoolean, C::kNone, false,
     "Rewrite semi join in filtering context to inner join"},
    {"scale_writers", "true", T::kBoolean, C::kNone, false,
     "Scale out writers based on throughput (use minimum necessary)"},
    {"skip_redundant_sort", "true", T::kBoolean, C::kNone, false,
     "Skip redundant sort operations"},
    {"spatial_join", "true", T::kBoolean, C::kNone, false,
     "Use spatial index for spatial join when possible"},
    {"spatial_partitioning_table_name", "", T::kVarchar, C::kNone, false,
     "Name of the table containing spatial partitioning scheme"},
    {"spill_enabled", "false", T::kBoolean, C::kNone, false,
     "Enable spilling"},
    {"split_concurrency_adjustment_interval", "100.00ms", T::kVarchar, C::kDuration, false,
     "Experimental: Interval between changes to the number of concurrent splits per node"},
    {"statistics_cpu_timer_enabled", "true", T::kBoolean, C::kNone, false,
     "Experimental: Enable cpu time tracking for automatic column statistics collection on write"},
    {"statistics_precalculation_for_pushdown_enabled", "true", T::kBoolean, C::kNone, false,
     "Enable statistics precalculation for pushdown"},
    {"table_scan_node_partitioning_min_bucket_to_task_ratio", "0.5", T::kDouble, C::kNone, false,
     "Min table scan bucket to task ratio for which plan will be adopted to node pre-partitioned tables"},
    {"task_concurrency", "2", T::kInteger, C::kPowerOfTwo, false,
     "Default number of local parallel jobs per worker"},
    {"task_max_writer_count", "4", T::kInteger, C::kNone, false,
     "Maximum number of local parallel table writers per task when either task writer scaling or preferred partitioning is used"},
    {"task_min_writer_count", "1", T::kInteger, C::kNone, false,
     "Minimum number of local parallel table writers per task when preferred partitioning and task writer scaling are not used"},
    {"task_retry_attempts_per_task", "4", T::kInteger, C::kNone, false,
     "Maximum number of task retry attempts per single task"},
    {"task_scale_writers_enabled", "true", T::kBoolean, C::kNone, false,
     "Scale the number of concurrent table writers per task based on throughput"},
    {"task_share_index_loading", "false", T::kBoolean, C::kNone, false,
     "Share index join lookups and caching within a task"},
    {"time_zone_id", "", T::kVarchar, C::kTimeZone, true,
     "Time Zone Id for the current session"},
    {"use_cost_based_partitioning", "true", T::kBoolean, C::kNone, false,
     "When enabled the cost based optimizer is used to determine if repartitioning the output of an already partitioned stage is necessary"},
    {"use_exact_partitioning", "false", T::kBoolean, C::kNone, false,
     "When enabled this forces data repartitioning unless the partitioning of upstream stage matches exactly what downstream stage expects"},
    {"use_legacy_window_filter_pushdown", "false", T::kBoolean, C::kNone, false,
     "Use legacy window filter pushdown optimizer"},
    {"use_preferred_write_partitioning", "true", T::kBoolean, C::kNone, false,
     "Use preferred write partitioning"},
    {"use_table_scan_node_partitioning", "true", T::kBoolean, C::kNone, false,
     "Adapt plan to node pre-partitioned tables"},
    {"writer_scaling_min_data_processed", "120MB", T::kVarchar, C::kDataSize, false,
     "Minimum amount of uncompressed output data processed by writers before writer scaling can happen"},
});
// clang-format on

using Names = std::vector<std::string_view>;

/// Properties of catalogs by connector, sorted.
const Names& catalog_properties(std::string_view connector) {
  static const Names iceberg = {"bucket_execution_enabled",
                                "collect_extended_statistics_on_write",
                                "compression_codec",
                                "dynamic_filtering_wait_timeout",
                                "expire_snapshots_min_retention",
                                "extended_statistics_enabled",
                                "file_based_conflict_detection_enabled",
                                "idle_writer_min_file_size",
                                "incremental_refresh_enabled",
                                "max_partitions_per_writer",
                                "merge_manifests_on_write",
                                "minimum_assigned_split_weight",
                                "orc_bloom_filters_enabled",
                                "orc_lazy_read_small_ranges",
                                "orc_max_buffer_size",
                                "orc_max_merge_distance",
                                "orc_max_read_block_size",
                                "orc_nested_lazy_enabled",
                                "orc_stream_buffer_size",
                                "orc_string_statistics_limit",
                                "orc_tiny_stripe_threshold",
                                "orc_writer_max_dictionary_memory",
                                "orc_writer_max_stripe_rows",
                                "orc_writer_max_stripe_size",
                                "orc_writer_min_stripe_size",
                                "orc_writer_validate_mode",
                                "orc_writer_validate_percentage",
                                "parquet_ignore_statistics",
                                "parquet_max_read_block_row_count",
                                "parquet_max_read_block_size",
                                "parquet_small_file_threshold",
                                "parquet_use_bloom_filter",
                                "parquet_vectorized_decoding_enabled",
                                "parquet_writer_batch_size",
                                "parquet_writer_block_size",
                                "parquet_writer_page_size",
                                "parquet_writer_page_value_count",
                                "projection_pushdown_enabled",
                                "query_partition_filter_required",
                                "query_partition_filter_required_schemas",
                                "remove_orphan_files_min_retention",
                                "sorted_writing_enabled",
                                "statistics_enabled",
                                "target_max_file_size",
                                "use_file_size_from_metadata"};
  static const Names hive = {"bucket_execution_enabled",
                             "collect_column_statistics_on_write",
                             "compression_codec",
                             "create_empty_bucket_files",
                             "dynamic_filtering_wait_timeout",
                             "force_local_scheduling",
                             "ignore_absent_partitions",
                             "insert_existing_partitions_behavior",
                             "non_transactional_optimize_enabled",
                             "orc_use_column_names",
                             "parquet_use_column_names",
                             "partition_statistics_sample_size",
                             "projection_pushdown_enabled",
                             "propagate_table_scan_sorting_properties",
                             "query_partition_filter_required",
                             "query_partition_filter_required_schemas",
                             "respect_table_format",
                             "sorted_writing_enabled",
                             "statistics_enabled",
                             "target_max_file_size",
                             "timestamp_precision",
                             "validate_bucketing"};
  static const Names jdbc = {"aggregation_pushdown_enabled",
                             "array_mapping",
                             "complex_expression_pushdown",
                             "decimal_default_scale",
                             "decimal_mapping",
                             "decimal_rounding_mode",
                             "domain_compaction_threshold",
                             "dynamic_filtering_enabled",
                             "dynamic_filtering_wait_timeout",
                             "enable_string_pushdown_with_collate",
                             "join_pushdown_automatic_max_join_to_tables_ratio",
                             "join_pushdown_automatic_max_table_size",
                             "join_pushdown_enabled",
                             "join_pushdown_strategy",
                             "non_transactional_insert",
                             "non_transactional_merge",
                             "topn_pushdown_enabled",
                             "unsupported_type_handling",
                             "write_batch_size",
                             "write_parallelism"};
  static const Names none;
  if (connector == "iceberg") return iceberg;
  if (connector == "hive") return hive;
  if (connector == "postgresql" || connector == "mysql") return jdbc;
  return none;
}

/// A number and one of the units; Trino's Duration and DataSize.
bool is_amount(std::string_view text, const Names& units) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || text.front() == '-') return false;
  std::string_view unit(read.ptr, static_cast<size_t>(end - read.ptr));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return std::ranges::find(units, unit) != units.end();
}

/// What the description lists behind "Possible values:".
std::string_view choices(std::string_view description) {
  const size_t open = description.rfind('['), close = description.rfind(']');
  return description.substr(open + 1, close - open - 1);
}

bool is_choice(std::string_view text, std::string_view choices) {
  while (!choices.empty()) {
    const size_t comma = std::min(choices.find(','), choices.size());
    if (lower(choices.substr(0, comma)) == lower(text)) return true;
    choices.remove_prefix(std::min(comma + 2, choices.size()));
  }
  return false;
}

}  // namespace

std::optional<std::string> SessionProperty::problem(std::string_view text) const {
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  switch (check) {
    case Check::kNone:
    case Check::kTimeZone:
      break;
    case Check::kDuration:
      if (!is_amount(text, {"ns", "us", "ms", "s", "m", "h", "d"}))
        return fmt::format("duration is not a valid data duration string: {}", text);
      break;
    case Check::kDataSize:
      if (!is_amount(text, {"B", "kB", "MB", "GB", "TB", "PB"}))
        return fmt::format("size is not a valid data size string: {}", text);
      break;
    case Check::kChoice:
      if (!is_choice(text, choices(description)))
        return fmt::format("Invalid value [{}]. Valid values: [{}]", text, choices(description));
      break;
    case Check::kPowerOfTwo:
      if (number < 1 || (number & (number - 1)) != 0)
        return fmt::format("{} must be a power of 2: {}", name, text);
      break;
    case Check::kAtLeastOne:
      if (number < 1) return fmt::format("{} must be equal or greater than 1", name);
      break;
  }
  return std::nullopt;
}

Type property_type(const SessionProperty& property) {
  return property.type == TypeKind::kVarchar ? Type::varchar() : Type::of(property.type);
}

std::span<const SessionProperty> session_properties() { return kProperties; }

const SessionProperty* find_session_property(std::string_view name) {
  const std::string key = lower(name);
  const auto found = std::ranges::lower_bound(kProperties, key, {}, &SessionProperty::name);
  return found != kProperties.end() && found->name == key ? &*found : nullptr;
}

std::string session_property(const std::map<std::string, std::string>* set, std::string_view name) {
  if (set)
    if (const auto found = set->find(std::string(name)); found != set->end()) return found->second;
  const auto* property = find_session_property(name);
  return property ? std::string(property->value) : std::string();
}

bool is_catalog_property(std::string_view connector, std::string_view name) {
  const Names& names = catalog_properties(connector);
  return std::ranges::find(names, lower(name)) != names.end();
}

}  // namespace meesh::sql
