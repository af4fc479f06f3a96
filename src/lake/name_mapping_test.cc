#include "lake/name_mapping.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace meesh::lake {
namespace {

TEST(NameMapping, SaysTheFieldsOfASchema) {
  Schema schema;
  schema.fields.push_back({1, "id", primitive_type(TypeKind::kLong), true});
  schema.fields.push_back({2, "tags", list_type(3, primitive_type(TypeKind::kString))});
  schema.fields.push_back({4, "Größe", struct_type({{5, "x", primitive_type(TypeKind::kInt)}})});
  const auto mapping = mapping_of(schema.fields);
  EXPECT_EQ(name_mapping_json(mapping),
            R"([{"field-id":1,"names":["id"]},{"field-id":2,"names":["tags"],"fields":)"
            R"([{"field-id":3,"names":["element"]}]},{"field-id":4,"names":["Größe"],"fields":)"
            R"([{"field-id":5,"names":["x"]}]}])");
  EXPECT_EQ(parse_name_mapping(name_mapping_json(mapping)), mapping);
}

TEST(NameMapping, HasSeveralNamesForAFieldAndFieldsWithoutAnId) {
  const auto mapping =
      parse_name_mapping(R"([{"field-id": 1, "names": ["a", "b"]}, {"names": ["c"]}])");
  ASSERT_NE(find_mapped(mapping, "b"), nullptr);
  EXPECT_EQ(find_mapped(mapping, "b")->id, 1);
  EXPECT_EQ(find_mapped(mapping, "c")->id, std::nullopt);
  EXPECT_EQ(find_mapped(mapping, "B"), nullptr);
}

TEST(NameMapping, TellsWhereItIsWrong) {
  TableMetadata table;
  EXPECT_EQ(mapping_of(table), std::nullopt);
  for (const char* wrong : {"", "{}", "[1]", R"([{"field-id": 1}])", R"([{"names": "a"}])",
                            R"([{"field-id": "x", "names": []}])"}) {
    table.properties[kNameMapping] = wrong;
    try {
      mapping_of(table);
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kIcebergInvalidMetadata);
      EXPECT_THAT(error.message(), testing::HasSubstr("schema.name-mapping.default")) << wrong;
    }
  }
}

}  // namespace
}  // namespace meesh::lake
