/** A line without axes, as wide as its place. `null` is a gap. */
export function Spark({ values, color, area, className, width = 120, height = 26, label }: {
  values: (number | null)[]
  color: string
  area?: boolean
  className?: string
  width?: number
  height?: number
  label: string
}) {
  const numbers = values.filter((value): value is number => value !== null)
  if (numbers.length < 2) return null
  const low = Math.min(...numbers)
  const reach = Math.max(...numbers) - low || 1
  const x = (i: number) => (i / (values.length - 1)) * (width - 4) + 2
  const y = (value: number) => height - 3 - ((value - low) / reach) * (height - 6)
  const parts: string[][] = [[]]
  values.forEach((value, i) => {
    if (value === null) parts.push([])
    else parts[parts.length - 1].push(`${x(i).toFixed(1)},${y(value).toFixed(1)}`)
  })
  const drawn = parts.filter((part) => part.length > 0)
  const foot = (points: string[]) => `${points[0].split(',')[0]},${height} ${points.join(' ')} ${points[points.length - 1].split(',')[0]},${height}`
  return (
    <svg className={className} viewBox={`0 0 ${width} ${height}`} width={className ? undefined : width} height={className ? undefined : height}
      preserveAspectRatio="none" role="img" aria-label={label}>
      {area && drawn.map((points, i) => <polygon key={i} points={foot(points)} fill={color} opacity={0.14} />)}
      {drawn.map((points, i) => (
        <polyline key={i} points={points.join(' ')} fill="none" stroke={color} strokeWidth={1.8} vectorEffect="non-scaling-stroke" strokeLinejoin="round" />
      ))}
    </svg>
  )
}
