/** What a source's file begins as, for kinds whose settings are more than a form holds. */
export const kTemplates: Record<string, string> = {
  rest: `kind: rest
base_url: https://api.example.com/v1
# auth: { kind: bearer, token: "\${API_TOKEN}" }
tables:
  orders:
    path: orders
    # records: data.items
    # key: [id]
    # pagination: { kind: page, parameter: page, size: 100 }
`,
  airbyte: `kind: airbyte
connector: source-faker
version: 6.2.1
config:
  count: 100
tables:
  users: {}
`,
}
