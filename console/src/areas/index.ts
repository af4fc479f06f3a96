import { routes as admin } from './admin/routes'
import { text as adminText } from './admin/text'
import { routes as catalogue } from './catalogue/routes'
import { text as catalogueText } from './catalogue/text'
import { routes as dashboards } from './dashboards/routes'
import { text as dashboardsText } from './dashboards/text'
import { routes as home } from './home/routes'
import { text as homeText } from './home/text'
import { routes as lake } from './lake/routes'
import { text as lakeText } from './lake/text'
import { routes as pipelines } from './pipelines/routes'
import { text as pipelinesText } from './pipelines/text'
import { routes as sql } from './sql/routes'
import { text as sqlText } from './sql/text'

export const areaRoutes = [
  ...home, ...sql, ...lake, ...catalogue, ...pipelines, ...dashboards, ...admin,
]

export const areaText = [
  homeText, sqlText, lakeText, catalogueText, pipelinesText, dashboardsText, adminText,
]
