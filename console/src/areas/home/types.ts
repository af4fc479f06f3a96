import type { components } from '../../api/schema'

export type Service = components['schemas']['Service']
export type ServiceList = components['schemas']['ServiceList']
export type Overview = components['schemas']['Overview']
export type Happening = components['schemas']['Happening']

/** Between two looks at what runs. */
export const kPoll = 4000
