import { Checkbox, Fieldset, NumberInput, PasswordInput, Select, Stack, TextInput } from '@mantine/core'
import { hasText, useLanguage } from '../../i18n'

export interface Schema {
  type?: string
  enum?: string[]
  const?: string
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  description?: string
  default?: unknown
  writeOnly?: boolean
  minimum?: number
  maximum?: number
}

export type Values = Record<string, unknown>

/** Scalars may also be references to secrets, told as an alternative; the form wants the scalar. */
function plain(schema: Schema): Schema {
  return schema.anyOf ? { ...schema.anyOf[0], ...schema, anyOf: undefined } : schema
}

/** The fields of an object, as its JSON Schema says. Maps and lists are left to whoever knows what
 *  they mean, settings without a name of their own to the file; `skip` names members that have a
 *  place of their own. */
export function SchemaForm({ schema, values, onChange, skip = [] }: {
  schema: Schema
  values: Values
  onChange: (values: Values) => void
  skip?: string[]
}) {
  const { language, text: t } = useLanguage()
  const required = new Set(schema.required ?? [])
  const set = (key: string, value: unknown) => onChange({ ...values, [key]: value })
  const name = (key: string) => `pipelines.field.${key}`
  const label = (key: string) => t(name(key))
  const field = (key: string, given: Schema) => {
    const one = plain(given)
    // The file format's own words; they are English.
    const description = language === 'en' ? one.description : undefined
    const common = { key, label: label(key), description, required: required.has(key) }
    const value = values[key]
    if (one.enum)
      return (
        <Select {...common} clearable={!required.has(key)} data={one.enum} value={(value as string) ?? null}
          placeholder={one.default === undefined ? undefined : String(one.default)}
          onChange={(chosen) => set(key, chosen ?? undefined)} />
      )
    if (one.type === 'boolean')
      return (
        <Checkbox key={key} label={label(key)} description={description} checked={Boolean(value ?? one.default)}
          onChange={(event) => set(key, event.currentTarget.checked === one.default ? undefined : event.currentTarget.checked)} />
      )
    if (one.type === 'integer')
      return (
        <NumberInput {...common} value={(value as number) ?? ''} min={one.minimum} max={one.maximum}
          placeholder={one.default === undefined ? undefined : String(one.default)} allowDecimal={false}
          onChange={(next) => set(key, next === '' ? undefined : Number(next))} />
      )
    if (one.type === 'object' && one.properties)
      return (
        <Fieldset key={key} legend={label(key)}>
          <SchemaForm schema={one} values={(value as Values) ?? {}}
            onChange={(next) => set(key, Object.values(next).some((inner) => inner !== undefined && inner !== '') ? next : undefined)} />
        </Fieldset>
      )
    if (one.type !== 'string') return null
    const Input = one.writeOnly ? PasswordInput : TextInput
    return (
      <Input {...common} value={(value as string) ?? ''} autoComplete="off"
        placeholder={one.default === undefined ? undefined : String(one.default)}
        onChange={(event) => set(key, event.currentTarget.value || undefined)} />
    )
  }
  return (
    <Stack gap="sm">
      {Object.entries(schema.properties ?? {})
        .filter(([key, one]) => !skip.includes(key) && one.const === undefined && hasText(name(key)))
        .map(([key, one]) => field(key, one))}
    </Stack>
  )
}
