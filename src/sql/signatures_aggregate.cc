// The signatures of Trino's aggregates, windows and table functions, see signatures.h.
#include "sql/signatures.h"

namespace meesh::sql {

// clang-format off
const std::string_view kAggregateSignatures = R"~(any_value|t|T|t|a2|Return an arbitrary non-null input value
approx_distinct|boolean||bigint|a|
approx_distinct|boolean, double||bigint|a|
approx_distinct|t|T:comparable|bigint|a|
approx_distinct|t, double|T:comparable|bigint|a|
approx_distinct|unknown||bigint|a|
approx_distinct|unknown, double||bigint|a|
approx_most_frequent|bigint, bigint, bigint||map(bigint,bigint)|a|
approx_most_frequent|bigint, varchar, bigint||map(varchar,bigint)|a|
approx_percentile|bigint, array(double)||array(bigint)|a|
approx_percentile|bigint, double, array(double)||array(bigint)|a|
approx_percentile|double, array(double)||array(double)|a|
approx_percentile|double, double, array(double)||array(double)|a|
approx_percentile|real, array(double)||array(real)|a|
approx_percentile|real, double, array(double)||array(real)|a|
approx_percentile|bigint, double||bigint|a|
approx_percentile|bigint, double, double||bigint|a|
approx_percentile|bigint, double, double, double||bigint|a|
approx_percentile|double, double||double|a|
approx_percentile|double, double, double||double|a|
approx_percentile|double, double, double, double||double|a|
approx_percentile|real, double||real|a|
approx_percentile|real, double, double||real|a|
approx_percentile|real, double, double, double||real|a|
approx_set|bigint||hyperloglog|a|
approx_set|double||hyperloglog|a|
approx_set|varchar(x)||hyperloglog|a|
arbitrary|t|T|t|a2|Return an arbitrary non-null input value
array_agg|t|T|array(t)|a|return an array of values
avg|decimal(p,s)||decimal(p,s)|a|Calculates the average value
avg|bigint||double|a|
avg|double||double|a|
avg|interval day to second||interval day to second|a|
avg|interval year to month||interval year to month|a|
avg|real||real|a|Returns the average value of the argument
bitwise_and_agg|bigint||bigint|a|
bitwise_or_agg|bigint||bigint|a|
bitwise_xor_agg|bigint||bigint|a|
bool_and|boolean||boolean|a2|
bool_or|boolean||boolean|a|
checksum|t|T:comparable|varbinary|a|Checksum of the given values
corr|double, double||double|a|
corr|real, real||real|a|
count|||bigint|a|
count|t|T|bigint|a|Counts the non-null values
count_if|boolean||bigint|a|
covar_pop|double, double||double|a|
covar_pop|real, real||real|a|
covar_samp|double, double||double|a|
covar_samp|real, real||real|a|
cume_dist|||double|w|
dense_rank|||bigint|w|
every|boolean||boolean|a2|
exclude_columns|unknown, unknown||unknown|t?2|
first_value|t|T|t|w|
geometric_mean|bigint||double|a|
geometric_mean|double||double|a|
geometric_mean|real||real|a|
histogram|t|T:comparable|map(t,bigint)|a|Count the number of times each value occurs
kurtosis|bigint||double|a|Returns the (excess) kurtosis of the argument
kurtosis|double||double|a|Returns the (excess) kurtosis of the argument
lag|t|T|t|w|
lag|t, bigint|T|t|w|
lag|t, bigint, t|T|t|w|
last_value|t|T|t|w|
lead|t|T|t|w|
lead|t, bigint|T|t|w|
lead|t, bigint, t|T|t|w|
listagg|varchar, varchar, boolean, varchar, boolean||varchar|a|concatenates the input values with the specified separator
make_set_digest|t|T|setdigest|a|
map_agg|k, v|K:comparable, V|map(k,v)|a|Aggregates all the rows (key/value pairs) into a single map
map_union|map(k,v)|K:comparable, V|map(k,v)|a|Aggregate all the maps into a single map
max|e, bigint|E:orderable|array(e)|a|Returns the maximum values of the argument
max|t|T:orderable|t|a|Returns the maximum value of the argument
max_by|v, k, bigint|K:orderable, V|array(v)|a|Returns the values of the first argument associated with the maximum values of the second argument
max_by|v, k|K:orderable, V|v|a|Returns the value of the first argument, associated with the maximum value of the second argument
merge|hyperloglog||hyperloglog|a|
merge|qdigest(v)|V|qdigest(v)|a|Merges the input quantile digests into a single quantile digest
merge|tdigest||tdigest|a|
merge_set_digest|setdigest||setdigest|a|
min|e, bigint|E:orderable|array(e)|a|Returns the minimum values of the argument
min|t|T:orderable|t|a|Returns the minimum value of the argument
min_by|v, k, bigint|K:orderable, V|array(v)|a|Returns the values of the first argument associated with the minimum values of the second argument
min_by|v, k|K:orderable, V|v|a|Returns the value of the first argument, associated with the minimum value of the second argument
multimap_agg|k, v|K:comparable, V|map(k,array(v))|a|Aggregates all the rows (key/value pairs) into a single multimap
nth_value|t, bigint|T|t|w|
ntile|bigint||bigint|w|
numeric_histogram|bigint, double||map(double,double)|a|
numeric_histogram|bigint, double, double||map(double,double)|a|
numeric_histogram|bigint, real||map(real,real)|a|
numeric_histogram|bigint, real, double||map(real,real)|a|
percent_rank|||double|w|
qdigest_agg|bigint||qdigest(bigint)|a|Returns a qdigest from the set of bigints
qdigest_agg|bigint, bigint||qdigest(bigint)|a|Returns a qdigest from the set of bigints
qdigest_agg|bigint, bigint, double||qdigest(bigint)|a|Returns a qdigest from the set of bigints
qdigest_agg|double||qdigest(double)|a|Returns a qdigest from the set of doubles
qdigest_agg|double, bigint||qdigest(double)|a|Returns a qdigest from the set of doubles
qdigest_agg|double, bigint, double||qdigest(double)|a|Returns a qdigest from the set of doubles
qdigest_agg|real||qdigest(real)|a|Returns a qdigest from the set of reals
qdigest_agg|real, bigint||qdigest(real)|a|Returns a qdigest from the set of reals
qdigest_agg|real, bigint, double||qdigest(real)|a|Returns a qdigest from the set of reals
rank|||bigint|w|
reduce_agg|T, S, function(S,T,S), function(S,S,S)|T, S|S|a|Reduce input elements into a single value
regr_intercept|double, double||double|a|
regr_intercept|real, real||real|a|
regr_slope|double, double||double|a|
regr_slope|real, real||real|a|
row_number|||bigint|w|
sequence|bigint, bigint, bigint||unknown|t?2|
skewness|bigint||double|a|Returns the skewness of the argument
skewness|double||double|a|Returns the skewness of the argument
stddev|bigint||double|a2|Returns the sample standard deviation of the argument
stddev|double||double|a2|Returns the sample standard deviation of the argument
stddev_pop|bigint||double|a|Returns the population standard deviation of the argument
stddev_pop|double||double|a|Returns the population standard deviation of the argument
stddev_samp|bigint||double|a2|Returns the sample standard deviation of the argument
stddev_samp|double||double|a2|Returns the sample standard deviation of the argument
sum|bigint||bigint|a|
sum|decimal(p,s)||decimal(38,s)|a|Calculates the sum over the input values
sum|double||double|a|
sum|interval day to second||interval day to second|a|
sum|interval year to month||interval year to month|a|
sum|real||real|a|
tdigest_agg|double||tdigest|a|
tdigest_agg|double, double||tdigest|a|
var_pop|bigint||double|a|Returns the population variance of the argument
var_pop|double||double|a|Returns the population variance of the argument
var_samp|bigint||double|a2|Returns the sample variance of the argument
var_samp|double||double|a2|Returns the sample variance of the argument
variance|bigint||double|a2|Returns the sample variance of the argument
variance|double||double|a2|Returns the sample variance of the argument
)~";
// clang-format on

}  // namespace meesh::sql
