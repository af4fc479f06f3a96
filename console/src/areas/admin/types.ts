import type { components } from '../../api/schema'

type Schemas = components['schemas']
export type User = Schemas['User']
export type Policy = Schemas['Policy']
export type Token = Schemas['Token']
export type NewToken = Schemas['NewToken']
export type NewKey = Schemas['NewKey']
export type AuditEvent = Schemas['AuditEvent']
export type Statement = Schemas['Statement']
export type Settings = Schemas['Settings']
export type LogLine = Schemas['LogLine']
