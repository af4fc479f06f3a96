// The signatures of Trino's scalar functions, see signatures.h.
#include "sql/signatures.h"

namespace meesh::sql {

// clang-format off
const std::string_view kScalarSignatures = R"~(abs|bigint||bigint|s|Absolute value
abs|decimal(p,s)||decimal(p,s)|s|Absolute value
abs|double||double|s|Absolute value
abs|integer||integer|s|Absolute value
abs|real||real|s|Absolute value
abs|smallint||smallint|s|Absolute value
abs|tinyint||tinyint|s|Absolute value
acos|double||double|s|Arc cosine
all_match|array(t), function(t,boolean)|T|boolean|s|Returns true if all elements of the array match the given predicate
any_match|array(t), function(t,boolean)|T|boolean|s|Returns true if the array contains one or more elements that match the given predicate
array_distinct|array(e)|E:comparable|array(e)|s|Remove duplicate values from the given array
array_except|array(e), array(e)|E:comparable|array(e)|s|Returns an array of elements that are in the first array but not the second, without duplicates.
array_histogram|array(t)|T:comparable|map(t,bigint)|s|Return a map containing the counts of the elements in the array
array_intersect|array(e), array(e)|E:comparable|array(e)|s|Intersects elements of the two given arrays
array_join|array(e), varchar|E|varchar|s|Concatenates the elements of the given array using a delimiter and an optional string to replace nulls
array_join|array(e), varchar, varchar|E|varchar|s|Concatenates the elements of the given array using a delimiter and an optional string to replace nulls
array_max|array(t)|T:orderable|t|s|Get maximum value of array
array_min|array(t)|T:orderable|t|s|Get minimum value of array
array_position|array(t), t|T:comparable|bigint|s|Returns the position of the first occurrence of the given value in array (or 0 if not found)
array_remove|array(e), e|E:comparable|array(e)|s|Remove specified values from the given array
array_sort|array(e)|E:orderable|array(e)|s|Sorts the given array in ascending order according to the natural ordering of its elements.
array_sort|array(t), function(t,t,integer)|T|array(t)|s|Sorts the given array with a lambda comparator.
array_union|array(e), array(e)|E:comparable|array(e)|s|Union elements of the two given arrays
arrays_overlap|array(e), array(e)|E:comparable|boolean|s|Returns true if arrays have common elements
asin|double||double|s|Arc sine
at_timezone|timestamp(p) with time zone, varchar(x)||timestamp(p) with time zone|s|
at_timezone|timestamp(p) with time zone, interval day to second||timestamp(p) with time zone|s-|
atan|double||double|s|Arc tangent
atan2|double, double||double|s|Arc tangent of given fraction
bar|double, bigint||varchar|s|
bar|double, bigint, color, color||varchar|s|
beta_cdf|double, double, double||double|s|Beta cdf given the a, b parameters and value
bit_count|bigint, bigint||bigint|s|Count number of set bits in 2's complement representation
bitwise_and|bigint, bigint||bigint|s|Bitwise AND in 2's complement arithmetic
bitwise_left_shift|bigint, integer||bigint|s|bitwise left shift
bitwise_left_shift|integer, integer||integer|s|bitwise left shift
bitwise_left_shift|smallint, integer||smallint|s|bitwise left shift
bitwise_left_shift|tinyint, integer||tinyint|s|bitwise left shift
bitwise_not|bigint||bigint|s|Bitwise NOT in 2's complement arithmetic
bitwise_or|bigint, bigint||bigint|s|Bitwise OR in 2's complement arithmetic
bitwise_right_shift|bigint, integer||bigint|s|bitwise logical right shift
bitwise_right_shift|integer, integer||integer|s|bitwise logical right shift
bitwise_right_shift|smallint, integer||smallint|s|bitwise logical right shift
bitwise_right_shift|tinyint, integer||tinyint|s|bitwise logical right shift
bitwise_right_shift_arithmetic|bigint, integer||bigint|s|bitwise arithmetic right shift
bitwise_right_shift_arithmetic|integer, integer||integer|s|bitwise arithmetic right shift
bitwise_right_shift_arithmetic|smallint, integer||smallint|s|bitwise arithmetic right shift
bitwise_right_shift_arithmetic|tinyint, integer||tinyint|s|bitwise arithmetic right shift
bitwise_xor|bigint, bigint||bigint|s|Bitwise XOR in 2's complement arithmetic
cardinality|array(e)|E|bigint|s|Returns the cardinality (length) of the array
cardinality|hyperloglog||bigint|s|Compute the cardinality of a HyperLogLog instance
cardinality|map(k,v)|K, V|bigint|s|Returns the cardinality (the number of key-value pairs) of the map
cardinality|setdigest||bigint|s|
cbrt|double||double|s|Cube root
ceil|bigint||bigint|s2|Round up to nearest integer
ceil|decimal(p,s)||decimal(rp,0)|s2|Round up to nearest integer
ceil|double||double|s2|Round up to nearest integer
ceil|integer||integer|s2|Round up to nearest integer
ceil|real||real|s2|Round up to nearest integer
ceil|smallint||smallint|s2|Round up to nearest integer
ceil|tinyint||tinyint|s2|Round up to nearest integer
ceiling|bigint||bigint|s2|Round up to nearest integer
ceiling|decimal(p,s)||decimal(rp,0)|s2|Round up to nearest integer
ceiling|double||double|s2|Round up to nearest integer
ceiling|integer||integer|s2|Round up to nearest integer
ceiling|real||real|s2|Round up to nearest integer
ceiling|smallint||smallint|s2|Round up to nearest integer
ceiling|tinyint||tinyint|s2|Round up to nearest integer
char2hexint|varchar||varchar|s|Returns the hexadecimal representation of the UTF-16BE encoding of the argument
chr|bigint||varchar(1)|s|Convert Unicode code point to a string
codepoint|varchar(1)||integer|s|Returns Unicode code point of a single character string
color|double, color, color||color|s|
color|double, double, double, color, color||color|s|
color|varchar(x)||color|s|
combinations|array(t), integer|T|array(array(t))|s|Return n-element subsets from array
concat|E, array(E)|E|array(E)|s|Concatenates an element to an array
concat|array(E)|E|array(E)|s|Concatenates given arrays
concat|array(E), E|E|array(E)|s|Concatenates an array to an element
concat|char(x), char(y)||char(u)|s|Concatenates given character strings
concat|varbinary||varbinary|s|concatenates given varbinary values
concat|varchar||varchar|s|Concatenates given strings
concat_ws|varchar, array(varchar)||varchar|s|
concat_ws|varchar, varchar||varchar|s|Concatenates elements using separator
contains|array(t), t|T:comparable|boolean|s|Determines whether given value exists in the array
contains|varchar, ipaddress||boolean|s|Determines whether given IP address exists in the CIDR
contains_sequence|array(t), array(t)|T:comparable|boolean|s|Determines whether an array contains a sequence, with the values in the exact order
cos|double||double|s|Cosine
cosh|double||double|s|Hyperbolic cosine
cosine_distance|array(double), array(double)||double|s|Calculates the cosine distance between two vectors
cosine_similarity|array(double), array(double)||double|s|Calculates the cosine similarity between two vectors
cosine_similarity|map(varchar,double), map(varchar,double)||double|s|Cosine similarity between the given sparse vectors
crc32|varbinary||bigint|s|Compute CRC-32
current_date|||date|s|Current date
current_groups|||array(varchar)|s|Current groups of current user
current_timezone|||varchar|s|Current time zone
date|timestamp(p)||date|s|
date|timestamp(p) with time zone||date|s|
date|varchar(x)||date|s|
date_add|varchar(x), bigint, date||date|s|Add the specified amount of date to the given date
date_add|varchar(x), bigint, time(p)||time(p)|s|Add the specified amount of time to the given time
date_add|varchar(x), bigint, time(p) with time zone||time(p) with time zone|s|Add the specified amount of time to the given time
date_add|varchar(x), bigint, timestamp(p)||timestamp(p)|s|Add the specified amount of time to the given timestamp
date_add|varchar(x), bigint, timestamp(p) with time zone||timestamp(p) with time zone|s|Add the specified amount of time to the given timestamp
date_diff|varchar(x), date, date||bigint|s|Difference of the given dates in the given unit
date_diff|varchar(x), time(p) with time zone, time(p) with time zone||bigint|s|Difference of the given times in the given unit
date_diff|varchar(x), time(p), time(p)||bigint|s|Difference of the given times in the given unit
date_diff|varchar(x), timestamp(p) with time zone, timestamp(p) with time zone||bigint|s|Difference of the given times in the given unit
date_diff|varchar(x), timestamp(p), timestamp(p)||bigint|s|Difference of the given times in the given unit
date_format|timestamp(p) with time zone, varchar(x)||varchar|s|Formats the given timestamp by the given format
date_format|timestamp(p), varchar(x)||varchar|s|Formats the given timestamp by the given format
date_parse|varchar(x), varchar(y)||timestamp(3)|s|
date_trunc|varchar(x), date||date|s|Truncate to the specified precision in the session timezone
date_trunc|varchar(x), time(p)||time(p)|s|Truncate to the specified precision
date_trunc|varchar(x), time(p) with time zone||time(p) with time zone|s|Truncate to the specified precision
date_trunc|varchar(x), timestamp(p)||timestamp(p)|s|Truncate to the specified precision in the session timezone
date_trunc|varchar(x), timestamp(p) with time zone||timestamp(p) with time zone|s|Truncate to the specified precision
day|date||bigint|s2|Day of the month of the given date
day|interval day to second||bigint|s2|Day of the month of the given interval
day|timestamp(p)||bigint|s2|Day of the month of the given timestamp
day|timestamp(p) with time zone||bigint|s2|Day of the month of the given timestamp
day_of_month|date||bigint|s2|Day of the month of the given date
day_of_month|interval day to second||bigint|s2|Day of the month of the given interval
day_of_month|timestamp(p)||bigint|s2|Day of the month of the given timestamp
day_of_month|timestamp(p) with time zone||bigint|s2|Day of the month of the given timestamp
day_of_week|date||bigint|s2|Day of the week of the given date
day_of_week|timestamp(p)||bigint|s2|Day of the week of the given timestamp
day_of_week|timestamp(p) with time zone||bigint|s2|Day of the week of the given timestamp
day_of_year|date||bigint|s2|Day of the year of the given date
day_of_year|timestamp(p)||bigint|s2|Day of the year of the given timestamp
day_of_year|timestamp(p) with time zone||bigint|s2|Day of the year of the given timestamp
degrees|double||double|s|Converts an angle in radians to degrees
dot_product|array(double), array(double)||double|s|Calculates the dot product between two vectors
dow|date||bigint|s2|Day of the week of the given date
dow|timestamp(p)||bigint|s2|Day of the week of the given timestamp
dow|timestamp(p) with time zone||bigint|s2|Day of the week of the given timestamp
doy|date||bigint|s2|Day of the year of the given date
doy|timestamp(p)||bigint|s2|Day of the year of the given timestamp
doy|timestamp(p) with time zone||bigint|s2|Day of the year of the given timestamp
e|||double|s|Euler's number
element_at|map(K,V), K|K, V|V|s|Get value for the given key, or null if it does not exist
element_at|array(e), bigint|E|e|s|Get element of array at given index
empty_approx_set|||hyperloglog|s|An empty HyperLogLog instance
euclidean_distance|array(double), array(double)||double|s|Calculates the euclidean distance between two vectors
exp|double||double|s|Euler's number raised to the given power
filter|array(t), function(t,boolean)|T|array(t)|s|Return array containing elements that match the given predicate
flatten|array(array(E))|E|array(E)|s|Flattens the given array
floor|bigint||bigint|s|Round down to nearest integer
floor|decimal(p,s)||decimal(rp,0)|s|Round down to nearest integer
floor|double||double|s|Round down to nearest integer
floor|integer||integer|s|Round down to nearest integer
floor|real||real|s|Round down to nearest integer
floor|smallint||smallint|s|Round down to nearest integer
floor|tinyint||tinyint|s|Round down to nearest integer
format_datetime|timestamp(p) with time zone, varchar(x)||varchar|s|Formats the given time by the given format
format_datetime|timestamp(p), varchar(x)||varchar|s|Formats the given time by the given format
format_number|bigint||varchar|s|Formats large number using a unit symbol
format_number|double||varchar|s|Formats large number using a unit symbol
from_base|varchar(x), bigint||bigint|s|Convert a string in the given base to a number
from_base32|varbinary||varbinary|s|Decode base32 encoded binary data
from_base32|varchar(x)||varbinary|s|Decode base32 encoded binary data
from_base64|varbinary||varbinary|s|Decode base64 encoded binary data
from_base64|varchar(x)||varbinary|s|Decode base64 encoded binary data
from_base64url|varbinary||varbinary|s|Decode URL safe base64 encoded binary data
from_base64url|varchar(x)||varbinary|s|Decode URL safe base64 encoded binary data
from_big_endian_32|varbinary||integer|s|Decode bigint value from a 32-bit 2's complement big endian varbinary
from_big_endian_64|varbinary||bigint|s|Decode bigint value from a 64-bit 2's complement big endian varbinary
from_hex|varbinary||varbinary|s|Decode hex encoded binary data
from_hex|varchar(x)||varbinary|s|Decode hex encoded binary data
from_ieee754_32|varbinary||real|s|Decode the 32-bit big-endian binary in IEEE 754 single-precision floating-point format
from_ieee754_64|varbinary||double|s|Decode the 64-bit big-endian binary in IEEE 754 double-precision floating-point format
from_iso8601_date|varchar(x)||date|s|
from_iso8601_timestamp|varchar(x)||timestamp(3) with time zone|s|
from_iso8601_timestamp_nanos|varchar(x)||timestamp(9) with time zone|s|
from_unixtime|double||timestamp(3) with time zone|s|
from_unixtime|double, bigint, bigint||timestamp(3) with time zone|s|
from_unixtime|double, varchar(x)||timestamp(3) with time zone|s|
from_unixtime_nanos|bigint||timestamp(9) with time zone|s|
from_unixtime_nanos|decimal(p,s)||timestamp(9) with time zone|s|
from_utf8|varbinary||varchar|s|Decodes the UTF-8 encoded string
from_utf8|varbinary, bigint||varchar|s|Decodes the UTF-8 encoded string
from_utf8|varbinary, varchar(x)||varchar|s|Decodes the UTF-8 encoded string
greatest|E|E:orderable|E|s|Get the largest of the given values
hamming_distance|varchar(x), varchar(y)||bigint|s|Computes Hamming distance between two strings
hash_counts|setdigest||map(bigint,smallint)|s|
hmac_md5|varbinary, varbinary||varbinary|s|Compute HMAC with MD5
hmac_sha1|varbinary, varbinary||varbinary|s|Compute HMAC with SHA1
hmac_sha256|varbinary, varbinary||varbinary|s|Compute HMAC with SHA256
hmac_sha512|varbinary, varbinary||varbinary|s|Compute HMAC with SHA512
hour|interval day to second||bigint|s|Hour of the day of the given interval
hour|time(p)||bigint|s|Hour of the day of the given time
hour|time(p) with time zone||bigint|s|Hour of the day of the given time
hour|timestamp(p)||bigint|s|Hour of the day of the given timestamp
hour|timestamp(p) with time zone||bigint|s|Hour of the day of the given timestamp
human_readable_seconds|double||varchar|s|
index|varchar, varchar||bigint|s|Returns index of first occurrence of a substring (or 0 if not found)
infinity|||double|s|Infinity
intersection_cardinality|setdigest, setdigest||bigint|s|
inverse_beta_cdf|double, double, double||double|s|Inverse of Beta cdf given a, b parameters and probability
inverse_normal_cdf|double, double, double||double|s|Inverse of normal cdf given a mean, std, and probability
is_finite|double||boolean|s|Test if value is finite
is_infinite|double||boolean|s|Test if value is infinite
is_json_scalar|json||boolean|s|
is_json_scalar|varchar(x)||boolean|s|
is_nan|double||boolean|s|Test if value is not-a-number
is_nan|real||boolean|s|Test if value is not-a-number
jaccard_index|setdigest, setdigest||double|s|
json_array_contains|json, bigint||boolean|s|
json_array_contains|json, boolean||boolean|s|
json_array_contains|json, double||boolean|s|
json_array_contains|json, varchar(x)||boolean|s|
json_array_contains|varchar(x), bigint||boolean|s|
json_array_contains|varchar(x), boolean||boolean|s|
json_array_contains|varchar(x), double||boolean|s|
json_array_contains|varchar(x), varchar(y)||boolean|s|
json_array_get|json, bigint||json|s|
json_array_get|varchar(x), bigint||json|s|
json_array_length|json||bigint|s|
json_array_length|varchar(x)||bigint|s|
json_extract|json, jsonpath||json|s|
json_extract|varchar(x), jsonpath||json|s|
json_extract_scalar|json, jsonpath||varchar|s|
json_extract_scalar|varchar(x), jsonpath||varchar(x)|s|
json_format|json||varchar|s|
json_parse|varchar(x)||json|s|
json_size|json, jsonpath||bigint|s|
json_size|varchar(x), jsonpath||bigint|s|
last_day_of_month|date||date|s|Last day of the month of the given date
last_day_of_month|timestamp(p)||date|s|Last day of the month of the given timestamp
last_day_of_month|timestamp(p) with time zone||date|s|Last day of the month of the given timestamp
least|E|E:orderable|E|s|Get the smallest of the given values
length|char(x)||bigint|s|Count of code points of the given string
length|varbinary||bigint|s|Length of the given binary
length|varchar(x)||bigint|s|Count of code points of the given string
levenshtein_distance|varchar(x), varchar(y)||bigint|s|Computes Levenshtein distance between two strings
ln|double||double|s|Natural logarithm
log|double, double||double|s|Logarithm to given base
log10|double||double|s|Logarithm to base 10
log2|double||double|s|Logarithm to base 2
lower|char(x)||char(x)|s|Converts the string to lower case
lower|varchar(x)||varchar(x)|s|Converts the string to lower case
lpad|varbinary, bigint, varbinary||varbinary|s|Pads a varbinary on the left
lpad|char(x), bigint, varchar(y)||varchar|s|Pads a string on the left
lpad|varchar(x), bigint, varchar(y)||varchar|s|Pads a string on the left
ltrim|char(x)||varchar(x)|s|Removes whitespace from the beginning of a string
ltrim|char(x), codepoints||varchar(x)|s|Remove the longest string containing only given characters from the beginning of a string
ltrim|varchar(x)||varchar(x)|s|Removes whitespace from the beginning of a string
ltrim|varchar(x), codepoints||varchar(x)|s|Remove the longest string containing only given characters from the beginning of a string
luhn_check|varchar||boolean|s|Checks that a string of digits is valid according to the Luhn algorithm
map|array(K), array(V)|K:comparable, V|map(K,V)|s|Constructs a map from the given key/value arrays
map|||map(unknown,unknown)|s|Creates an empty map
map_concat|map(K,V)|K, V|map(K,V)|s|Concatenates given maps
map_entries|map(k,v)|K, V|array(row(k,v))|s|Construct an array of entries from a given map
map_filter|map(K,V), function(K,V,boolean)|K, V|map(K,V)|s|return map containing entries that match the given predicate
map_from_entries|array(row(k,v))|K:comparable, V|map(k,v)|s|Construct a map from an array of entries
map_keys|map(k,v)|K, V|array(k)|s|Returns the keys of the given map(K,V) as an array
map_values|map(k,v)|K, V|array(v)|s|Returns the values of the given map(K,V) as an array
map_zip_with|map(K,V1), map(K,V2), function(K,V1,V2,V3)|K, V1, V2, V3|map(K,V3)|s|Merge two maps into a single map by applying the lambda function to the pair of values with the same key
md5|varbinary||varbinary|s|Compute md5 hash
millisecond|interval day to second||bigint|s|Millisecond of the second of the given interval
millisecond|time(p)||bigint|s|Millisecond of the second of the given time
millisecond|time(p) with time zone||bigint|s|Millisecond of the second of the given time
millisecond|timestamp(p)||bigint|s|Millisecond of the second of the given timestamp
millisecond|timestamp(p) with time zone||bigint|s|Millisecond of the second of the given timestamp
minute|interval day to second||bigint|s|Minute of the hour of the given interval
minute|time(p)||bigint|s|Minute of the hour of the given time
minute|time(p) with time zone||bigint|s|Minute of the hour of the given time
minute|timestamp(p)||bigint|s|Minute of the hour of the given timestamp
minute|timestamp(p) with time zone||bigint|s|Minute of the hour of the given timestamp
mod|bigint, bigint||bigint|s|Remainder of given quotient
mod|decimal(a_precision,a_scale), decimal(b_precision,b_scale)||decimal(r_precision,r_scale)|s|
mod|double, double||double|s|Remainder of given quotient
mod|integer, integer||integer|s|Remainder of given quotient
mod|real, real||real|s|Remainder of given quotient
mod|smallint, smallint||smallint|s|Remainder of given quotient
mod|tinyint, tinyint||tinyint|s|Remainder of given quotient
month|date||bigint|s|Month of the year of the given date
month|interval year to month||bigint|s|Month of the year of the given interval
month|timestamp(p)||bigint|s|Month of the year of the given timestamp
month|timestamp(p) with time zone||bigint|s|Month of the year of the given timestamp
multimap_from_entries|array(row(k,v))|K:comparable, V|map(k,array(v))|s|Construct a multimap from an array of entries
murmur3|varbinary||varbinary|s|Compute murmur3 hash
nan|||double|s|Constant representing not-a-number
ngrams|array(t), integer|T|array(array(t))|s|Return N-grams for the input
none_match|array(t), function(t,boolean)|T|boolean|s|Returns true if all elements of the array don't match the given predicate
normal_cdf|double, double, double||double|s|Normal cdf given a mean, standard deviation, and value
normalize|varchar(x), varchar(y)||varchar|s|Transforms the string to normalized form
now|||timestamp(3) with time zone|s|Current timestamp with time zone
parse_data_size|varchar(x)||decimal(38,0)|s2|Converts data size string to bytes
parse_datetime|varchar(x), varchar(y)||timestamp(3) with time zone|s|Parses the specified date/time by the given format
parse_duration|varchar(x)||interval day to second|s|Convert duration string to an interval
parse_presto_data_size|varchar(x)||decimal(38,0)|s2|Converts data size string to bytes
pi|||double|s|The constant Pi
pow|double, double||double|s2|Value raised to the power of exponent
power|double, double||double|s2|Value raised to the power of exponent
quantile_at_value|qdigest(bigint), bigint||double|s|Given an input x between min/max values of qdigest, find which quantile is represented by that value
quantile_at_value|qdigest(double), double||double|s|Given an input x between min/max values of qdigest, find which quantile is represented by that value
quantile_at_value|qdigest(real), real||double|s|Given an input x between min/max values of qdigest, find which quantile is represented by that value
quarter|date||bigint|s|Quarter of the year of the given date
quarter|timestamp(p)||bigint|s|Quarter of the year of the given timestamp
quarter|timestamp(p) with time zone||bigint|s|Quarter of the year of the given timestamp
radians|double||double|s|Converts an angle in degrees to radians
rand|bigint||bigint|s?2|A pseudo-random number between 0 and value (exclusive)
rand|bigint, bigint||bigint|s?2|A pseudo-random number between start and stop (exclusive)
rand|||double|s?2|A pseudo-random value
rand|integer||integer|s?2|A pseudo-random number between 0 and value (exclusive)
rand|integer, integer||integer|s?2|A pseudo-random number between start and stop (exclusive)
rand|smallint||smallint|s?2|A pseudo-random number between 0 and value (exclusive)
rand|smallint, smallint||smallint|s?2|A pseudo-random number between start and stop (exclusive)
rand|tinyint||tinyint|s?2|A pseudo-random number between 0 and value (exclusive)
rand|tinyint, tinyint||tinyint|s?2|A pseudo-random number between start and stop (exclusive)
random|bigint||bigint|s?2|A pseudo-random number between 0 and value (exclusive)
random|bigint, bigint||bigint|s?2|A pseudo-random number between start and stop (exclusive)
random|||double|s?2|A pseudo-random value
random|integer||integer|s?2|A pseudo-random number between 0 and value (exclusive)
random|integer, integer||integer|s?2|A pseudo-random number between start and stop (exclusive)
random|smallint||smallint|s?2|A pseudo-random number between 0 and value (exclusive)
random|smallint, smallint||smallint|s?2|A pseudo-random number between start and stop (exclusive)
random|tinyint||tinyint|s?2|A pseudo-random number between 0 and value (exclusive)
random|tinyint, tinyint||tinyint|s?2|A pseudo-random number between start and stop (exclusive)
reduce|array(T), S, function(S,T,S), function(S,R)|T, S, R|R|s|Reduce elements of the array into a single value
regexp_count|varchar(x), joniregexp||bigint|s|Returns the number of times that a pattern occurs in a string
regexp_extract|varchar(x), joniregexp||varchar(x)|s|String extracted using the given pattern
regexp_extract|varchar(x), joniregexp, bigint||varchar(x)|s|Returns regex group of extracted string with a pattern
regexp_extract_all|varchar(x), joniregexp||array(varchar(x))|s|String(s) extracted using the given pattern
regexp_extract_all|varchar(x), joniregexp, bigint||array(varchar(x))|s|Group(s) extracted using the given pattern
regexp_like|varchar(x), joniregexp||boolean|s|Returns whether the pattern is contained within the string
regexp_position|varchar(x), joniregexp||integer|s|Returns the index of the matched substring
regexp_position|varchar(x), joniregexp, integer||integer|s|Returns the index of the matched substring starting from the specified position
regexp_position|varchar(x), joniregexp, integer, integer||integer|s|Returns the index of the n-th matched substring starting from the specified position
regexp_replace|varchar, joniregexp, function(array(varchar),varchar(x))||varchar|s|Replaces substrings matching a regular expression using a lambda function
regexp_replace|varchar(x), joniregexp||varchar(x)|s|Removes substrings matching a regular expression
regexp_replace|varchar(x), joniregexp, varchar(y)||varchar(z)|s|Replaces substrings matching a regular expression by given string
regexp_split|varchar(x), joniregexp||array(varchar(x))|s|Returns array of strings split by pattern
render|boolean||varchar(16)|s|
render|bigint, color||varchar(35)|s|
render|double, color||varchar(41)|s|
render|varchar(x), color||varchar(y)|s|
repeat|t, bigint|T|array(t)|s|Repeat an element for a given number of times
replace|varchar(x), varchar(y), varchar(z)||varchar(u)|s|Greedily replaces occurrences of a pattern with a string
replace|varchar(x), varchar(y)||varchar(x)|s|Greedily removes occurrences of a pattern in a string
reverse|array(e)|E|array(e)|s|Returns an array which has the reversed order of the given array.
reverse|char(x)||char(x)|s|Reverse all code points in a given string
reverse|varbinary||varbinary|s|Reverse a given varbinary
reverse|varchar(x)||varchar(x)|s|Reverse all code points in a given string
rgb|bigint, bigint, bigint||color|s|
round|bigint||bigint|s|Round to nearest integer
round|bigint, integer||bigint|s|Round to nearest integer
round|decimal(p,s)||decimal(rp,rs)|s|Round to nearest integer
round|decimal(p,s), integer||decimal(rp,s)|s|Round to given number of decimal places
round|double||double|s|Round to nearest integer
round|double, integer||double|s|Round to given number of decimal places
round|integer||integer|s|Round to nearest integer
round|integer, integer||integer|s|Round to nearest integer
round|real||real|s|Round to given number of decimal places
round|real, integer||real|s|Round to given number of decimal places
round|smallint||smallint|s|Round to nearest integer
round|smallint, integer||smallint|s|Round to nearest integer
round|tinyint||tinyint|s|Round to nearest integer
round|tinyint, integer||tinyint|s|Round to nearest integer
rpad|varbinary, bigint, varbinary||varbinary|s|Pads a varbinary on the right
rpad|varchar(x), bigint, varchar(y)||varchar|s|Pads a string on the right
rtrim|char(x)||varchar(x)|s|Removes whitespace from the end of a string
rtrim|char(x), codepoints||varchar(x)|s|Remove the longest string containing only given characters from the end of a string
rtrim|varchar(x)||varchar(x)|s|Removes whitespace from the end of a string
rtrim|varchar(x), codepoints||varchar(x)|s|Remove the longest string containing only given characters from the end of a string
second|interval day to second||bigint|s|Second of the minute of the given interval
second|time(p)||bigint|s|Second of the minute of the given time
second|time(p) with time zone||bigint|s|Second of the minute of the given time
second|timestamp(p)||bigint|s|Second of the minute of the given timestamp
second|timestamp(p) with time zone||bigint|s|Second of the minute of the given timestamp
sequence|bigint, bigint||array(bigint)|s|
sequence|bigint, bigint, bigint||array(bigint)|s|Sequence function to generate synthetic arrays
sequence|date, date||array(date)|s|
sequence|date, date, interval day to second||array(date)|s|
sequence|date, date, interval year to month||array(date)|s|
sequence|timestamp(p), timestamp(p), interval day to second||array(timestamp(p))|s|
sequence|timestamp(p), timestamp(p), interval year to month||array(timestamp(p))|s|
sha1|varbinary||varbinary|s|Compute sha1 hash
sha256|varbinary||varbinary|s|Compute sha256 hash
sha512|varbinary||varbinary|s|Compute sha512 hash
shuffle|array(e)|E|array(e)|s?|Generates a random permutation of the given array.
sign|bigint||bigint|s|
sign|decimal(p,s)||decimal(1,0)|s|Signum
sign|double||double|s|Signum
sign|integer||integer|s|Signum
sign|real||real|s|Signum
sign|smallint||smallint|s|Signum
sign|tinyint||tinyint|s|Signum
sin|double||double|s|Sine
sinh|double||double|s|Hyperbolic sine
slice|array(e), bigint, bigint|E|array(e)|s|Subsets an array given an offset (1-indexed) and length
soundex|varchar||varchar(4)|s|Encodes a string into a Soundex value
split|varchar(x), varchar(y)||array(varchar(x))|s|
split|varchar(x), varchar(y), bigint||array(varchar(x))|s|
split_part|varchar(x), varchar(y), bigint||varchar(x)|s|Splits a string by a delimiter and returns the specified field (counting from one)
split_to_map|varchar, varchar, varchar||map(varchar,varchar)|s|Creates a map using entryDelimiter and keyValueDelimiter
split_to_multimap|varchar, varchar, varchar||map(varchar,array(varchar))|s|Creates a multimap by splitting a string into key/value pairs
spooky_hash_v2_32|varbinary||varbinary|s|Compute SpookyHashV2 32-bit hash
spooky_hash_v2_64|varbinary||varbinary|s|Compute SpookyHashV2 64-bit hash
sqrt|double||double|s|Square root
starts_with|varchar(x), varchar(y)||boolean|s|Determine whether source starts with prefix or not
strpos|varchar(x), varchar(y)||bigint|s|Returns index of first occurrence of a substring (or 0 if not found)
strpos|varchar(x), varchar(y), bigint||bigint|s|Returns index of n-th occurrence of a substring (or 0 if not found)
substr|varbinary, bigint||varbinary|s|Suffix starting at given index
substr|varbinary, bigint, bigint||varbinary|s|Substring of given length starting at an index
substr|char(x), bigint||varchar(x)|s2|Suffix starting at given index
substr|char(x), bigint, bigint||varchar(x)|s2|Substring of given length starting at an index
substr|varchar(x), bigint||varchar(x)|s2|Suffix starting at given index
substr|varchar(x), bigint, bigint||varchar(x)|s2|Substring of given length starting at an index
substring|char(x), bigint||varchar(x)|s2|Suffix starting at given index
substring|char(x), bigint, bigint||varchar(x)|s2|Substring of given length starting at an index
substring|varchar(x), bigint||varchar(x)|s2|Suffix starting at given index
substring|varchar(x), bigint, bigint||varchar(x)|s2|Substring of given length starting at an index
t_cdf|double, double||double|s|Student's t-distribution cumulative density function given the x and degrees of freedom
t_pdf|double, double||double|s|Student's t-distribution given the x and degrees of freedom
tan|double||double|s|Tangent
tanh|double||double|s|Hyperbolic tangent
timezone|time(p) with time zone||varchar|s|Time zone of the given time
timezone|timestamp(p) with time zone||varchar|s|Time zone of the given timestamp
timezone_hour|time(p) with time zone||bigint|s|Time zone hour of the given time
timezone_hour|timestamp(p) with time zone||bigint|s|Time zone hour of the given timestamp
timezone_minute|time(p) with time zone||bigint|s|Time zone minute of the given time
timezone_minute|timestamp(p) with time zone||bigint|s|Time zone minute of the given timestamp
to_base|bigint, bigint||varchar(64)|s|Convert a number to a string in the given base
to_base32|varbinary||varchar|s|Encode binary data as base32
to_base64|varbinary||varchar|s|Encode binary data as base64
to_base64url|varbinary||varchar|s|Encode binary data as base64 using the URL safe alphabet
to_big_endian_32|integer||varbinary|s|Encode value as a 32-bit 2's complement big endian varbinary
to_big_endian_64|bigint||varbinary|s|Encode value as a 64-bit 2's complement big endian varbinary
to_char|timestamp(p) with time zone, varchar||varchar|s|Formats a timestamp
to_date|varchar, varchar||date|s|Converts a string to a DATE data type
to_hex|varbinary||varchar|s|Encode binary data as hex
to_ieee754_32|real||varbinary|s|Encode value as a big endian varbinary according to IEEE 754 single-precision floating-point format
to_ieee754_64|double||varbinary|s|Encode value as a big endian varbinary according to IEEE 754 double-precision floating-point format
to_iso8601|date||varchar(16)|s|
to_iso8601|timestamp(p)||varchar(n)|s|
to_iso8601|timestamp(p) with time zone||varchar(n)|s|
to_milliseconds|interval day to second||bigint|s|
to_timestamp|varchar, varchar||timestamp(3)|s|Converts a string to a TIMESTAMP data type
to_unixtime|timestamp(p) with time zone||double|s|
to_utf8|char(x)||varbinary|s|Encodes the string to UTF-8
to_utf8|varchar(x)||varbinary|s|Encodes the string to UTF-8
transform|array(T), function(T,U)|T, U|array(U)|s|Apply lambda to each element of the array
transform_keys|map(K1,V), function(K1,V,K2)|K1, K2, V|map(K2,V)|s|Apply lambda to each entry of the map and transform the key
transform_values|map(K,V1), function(K,V1,V2)|K, V1, V2|map(K,V2)|s|Apply lambda to each entry of the map and transform the value
translate|varchar(x), varchar(y), varchar(z)||varchar|s|Translate characters from the source string based on original and translations strings
trim|char(x)||varchar(x)|s|Removes whitespace from the beginning and end of a string
trim|char(x), codepoints||varchar(x)|s|Remove the longest string containing only given characters from the beginning and end of a string
trim|varchar(x)||varchar(x)|s|Removes whitespace from the beginning and end of a string
trim|varchar(x), codepoints||varchar(x)|s|Remove the longest string containing only given characters from the beginning and end of a string
trim_array|array(e), bigint|E|array(e)|s|Remove elements from the end of array
truncate|decimal(p,s), integer||decimal(p,s)|s|Round to integer by dropping given number of digits after decimal point
truncate|decimal(p,s)||decimal(rp,0)|s|Round to integer by dropping digits after decimal point
truncate|double||double|s|Round to integer by dropping digits after decimal point
truncate|real||real|s|Round to integer by dropping digits after decimal point
typeof|t|T|varchar|s|Textual representation of expression type
upper|char(x)||char(x)|s|Converts the string to upper case
upper|varchar(x)||varchar(x)|s|Converts the string to upper case
url_decode|varchar(x)||varchar(x)|s|Unescape a URL-encoded string
url_encode|varchar(x)||varchar(y)|s|Escape a string for use in URL query parameter names and values
url_extract_fragment|varchar(x)||varchar(x)|s|Extract fragment from url
url_extract_host|varchar(x)||varchar(x)|s|Extract host from url
url_extract_parameter|varchar(x), varchar(y)||varchar(x)|s|Extract query parameter from url
url_extract_path|varchar(x)||varchar(x)|s|Extract part from url
url_extract_port|varchar(x)||bigint|s|Extract port from url
url_extract_protocol|varchar(x)||varchar(x)|s|Extract protocol from url
url_extract_query|varchar(x)||varchar(x)|s|Extract query from url
uuid|||uuid|s?|Generates a random UUID
value_at_quantile|qdigest(bigint), double||bigint|s|Given an input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the qdigest is qn.
value_at_quantile|qdigest(double), double||double|s|Given an input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the qdigest is qn.
value_at_quantile|tdigest, double||double|s|Given an input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the tdigest is qn.
value_at_quantile|qdigest(real), double||real|s|Given an input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the qdigest is qn.
values_at_quantiles|qdigest(bigint), array(double)||array(bigint)|s|For each input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the qdigest is qn.
values_at_quantiles|qdigest(double), array(double)||array(double)|s|For each input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the qdigest is qn.
values_at_quantiles|tdigest, array(double)||array(double)|s|For each input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the tdigest is qn.
values_at_quantiles|qdigest(real), array(double)||array(real)|s|For each input q between [0, 1], find the value whose rank in the sorted sequence of the n values represented by the qdigest is qn.
week|date||bigint|s2|Week of the year of the given date
week|timestamp(p)||bigint|s2|Week of the year of the given timestamp
week|timestamp(p) with time zone||bigint|s2|Week of the year of the given timestamp
week_of_year|date||bigint|s2|Week of the year of the given date
week_of_year|timestamp(p)||bigint|s2|Week of the year of the given timestamp
week_of_year|timestamp(p) with time zone||bigint|s2|Week of the year of the given timestamp
width_bucket|double, array(double)||bigint|s|The bucket number of a value given an array of bins
width_bucket|double, double, double, bigint||bigint|s|The bucket number of a value given a lower and upper bound and the number of buckets
wilson_interval_lower|bigint, bigint, double||double|s|Binomial confidence interval lower bound using Wilson score
wilson_interval_upper|bigint, bigint, double||double|s|Binomial confidence interval upper bound using Wilson score
with_timezone|timestamp(p), varchar(x)||timestamp(p) with time zone|s|
word_stem|varchar(x)||varchar(x)|s|Returns the stem of a word in the English language
word_stem|varchar(x), varchar(2)||varchar(x)|s|Returns the stem of a word in the given language
xxhash64|varbinary||varbinary|s|Compute xxhash64 hash
year|date||bigint|s|Year of the given date
year|interval year to month||bigint|s|Year of the given interval
year|timestamp(p)||bigint|s|Year of the given timestamp
year|timestamp(p) with time zone||bigint|s|Year of the given timestamp
year_of_week|date||bigint|s2|Year of the ISO week of the given date
year_of_week|timestamp(p)||bigint|s2|Year of the ISO week of the given timestamp
year_of_week|timestamp(p) with time zone||bigint|s2|Year of the ISO week of the given timestamp
yow|date||bigint|s2|Year of the ISO week of the given date
yow|timestamp(p)||bigint|s2|Year of the ISO week of the given timestamp
yow|timestamp(p) with time zone||bigint|s2|Year of the ISO week of the given timestamp
zip|array(T1), array(T2)|T1, T2|array(row(T1,T2))|s|Merges the given arrays, element-wise, into a single array of rows.
zip|array(T1), array(T2), array(T3)|T1, T2, T3|array(row(T1,T2,T3))|s|Merges the given arrays, element-wise, into a single array of rows.
zip|array(T1), array(T2), array(T3), array(T4)|T1, T2, T3, T4|array(row(T1,T2,T3,T4))|s|Merges the given arrays, element-wise, into a single array of rows.
zip|array(T1), array(T2), array(T3), array(T4), array(T5)|T1, T2, T3, T4, T5|array(row(T1,T2,T3,T4,T5))|s|Merges the given arrays, element-wise, into a single array of rows.
zip_with|array(T), array(U), function(T,U,R)|T, U, R|array(R)|s|Merge two arrays, element-wise, into a single array using the lambda function
)~";
// clang-format on

}  // namespace meesh::sql
