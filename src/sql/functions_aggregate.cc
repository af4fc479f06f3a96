#include "sql/functions.h"

namespace meesh::sql {

std::span<const FunctionRow> aggregate_functions() {
  static constexpr FunctionRow kRows[] = {
      {"count() -> bigint", "count", "Counts rows"},
      {"count(T) -> bigint", "count", "Counts the non-null values"},
      {"count_if(boolean) -> bigint", "count_if|trino_to_bigint", "Counts the rows where the condition holds"},
      {"sum(bigint) -> bigint", "trino_sum|trino_sum_result", "Sum of the values"},
      {"sum(decimal(p,s)) -> decimal(38,s)", "trino_sum|trino_sum_result", "Sum of the values"},
      {"sum(double) -> double", "trino_sum|trino_sum_result", "Sum of the values"},
      {"sum(real) -> real", "trino_sum|trino_sum_result", "Sum of the values"},
      {"sum(interval day to second) -> interval day to second", "trino_sum|trino_sum_result", "Sum of the values"},
      {"avg(bigint) -> double", "trino_avg|trino_avg_result", "Average of the values"},
      {"avg(decimal(p,s)) -> decimal(p,s)", "trino_avg|trino_avg_result", "Average of the values"},
      {"avg(double) -> double", "trino_avg|trino_avg_result", "Average of the values"},
      {"avg(real) -> real", "trino_avg|trino_avg_result", "Average of the values"},
      {"avg(interval day to second) -> interval day to second", "trino_avg|trino_avg_result", "Average of the values"},
      {"min(E) -> E", "trino_min", "Minimum value"},
      {"min(E, bigint) -> array(E)", "trino_min", "The n smallest values"},
      {"max(E) -> E", "trino_max", "Maximum value"},
      {"max(E, bigint) -> array(E)", "trino_max", "The n largest values"},
      {"min_by(V, K) -> V", "trino_min_by", "The value of the row with the least key"},
      {"min_by(V, K, bigint) -> array(V)", "trino_min_by", "The values of the n rows with the least keys"},
      {"max_by(V, K) -> V", "trino_max_by", "The value of the row with the greatest key"},
      {"max_by(V, K, bigint) -> array(V)", "trino_max_by", "The values of the n rows with the greatest keys"},
      {"arbitrary(T) -> T", "trino_any_value", "An arbitrary non-null value"},
      {"any_value(T) -> T", "trino_any_value", "An arbitrary non-null value"},
      {"bool_and(boolean) -> boolean", "trino_bool_and", "Whether all values are true"},
      {"bool_or(boolean) -> boolean", "trino_bool_or", "Whether any value is true"},
      {"every(boolean) -> boolean", "trino_bool_and", "Whether all values are true"},
      {"array_agg(T) -> array(T)", "trino_array_agg", "The values as an array"},
      {"listagg(varchar, varchar) -> varchar", "trino_listagg", "The values joined by a separator"},
      {"map_agg(K, V) -> map(K,V)", "trino_map_agg|trino_map_agg_result", "A map of the keys and values"},
      {"multimap_agg(K, V) -> map(K,array(V))", "trino_map_agg|trino_multimap_agg_result", "A map of the keys to all their values"},
      {"histogram(K) -> map(K,bigint)", "trino_histogram|trino_histogram_result", "How often each value occurs"},
      {"approx_distinct(T) -> bigint", "trino_approx_distinct", "Approximate count of distinct values"},
      {"approx_percentile(T, double) -> T", "trino_approx_percentile", "Approximate percentile"},
      {"approx_percentile(T, array(double)) -> array(T)", "trino_approx_percentile", "Approximate percentiles"},
      {"stddev(double) -> double", "trino_stddev_samp", "Sample standard deviation"},
      {"stddev_samp(double) -> double", "trino_stddev_samp", "Sample standard deviation"},
      {"stddev_pop(double) -> double", "trino_stddev_pop", "Population standard deviation"},
      {"variance(double) -> double", "trino_var_samp", "Sample variance"},
      {"var_samp(double) -> double", "trino_var_samp", "Sample variance"},
      {"var_pop(double) -> double", "trino_var_pop", "Population variance"},
      {"covar_samp(double, double) -> double", "trino_covar_samp", "Sample covariance"},
      {"covar_pop(double, double) -> double", "trino_covar_pop", "Population covariance"},
      {"corr(double, double) -> double", "trino_corr", "Correlation coefficient"},
      {"regr_slope(double, double) -> double", "trino_regr_slope", "Slope of the linear regression"},
      {"regr_intercept(double, double) -> double", "trino_regr_intercept", "Intercept of the linear regression"},
      {"kurtosis(double) -> double", "trino_kurtosis", "Excess kurtosis"},
      {"geometric_mean(double) -> double", "trino_geometric_mean|trino_exp", "Geometric mean"},
      {"bitwise_and_agg(bigint) -> bigint", "trino_bit_and", "Bitwise AND of the values"},
      {"bitwise_or_agg(bigint) -> bigint", "trino_bit_or", "Bitwise OR of the values"},
      {"bitwise_xor_agg(bigint) -> bigint", "trino_bit_xor", "Bitwise XOR of the values"},
  };
  return kRows;
}

std::span<const FunctionRow> window_functions() {
  static constexpr FunctionRow kRows[] = {
      {"row_number() -> bigint", "row_number", "Number of the row in its partition"},
      {"rank() -> bigint", "rank", "Rank with gaps"},
      {"dense_rank() -> bigint", "dense_rank", "Rank without gaps"},
      {"percent_rank() -> double", "percent_rank", "Relative rank"},
      {"cume_dist() -> double", "cume_dist", "Cumulative distribution"},
      {"ntile(bigint) -> bigint", "ntile", "Number of the bucket"},
      {"lag(T, bigint, T) -> T", "lag", "Value of an earlier row"},
      {"lead(T, bigint, T) -> T", "lead", "Value of a later row"},
      {"first_value(T) -> T", "first_value", "First value of the frame"},
      {"last_value(T) -> T", "last_value", "Last value of the frame"},
      {"nth_value(T, bigint) -> T", "nth_value", "N-th value of the frame"},
  };
  return kRows;
}

}  // namespace meesh::sql
