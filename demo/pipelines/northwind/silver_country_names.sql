-- How people write countries, in lower case, and the one name that silver and gold use for each.
-- A spelling that is missing keeps its own name and is told by a warning; add it here.
SELECT spelling, country
FROM (VALUES
    ('argentina', 'Argentina'),
    ('austria', 'Austria'), ('österreich', 'Austria'),
    ('belgium', 'Belgium'), ('belgique', 'Belgium'), ('belgië', 'Belgium'),
    ('brazil', 'Brazil'), ('brasil', 'Brazil'),
    ('canada', 'Canada'),
    ('denmark', 'Denmark'), ('danmark', 'Denmark'),
    ('finland', 'Finland'), ('suomi', 'Finland'),
    ('france', 'France'),
    ('germany', 'Germany'), ('deutschland', 'Germany'),
    ('ireland', 'Ireland'), ('éire', 'Ireland'),
    ('italy', 'Italy'), ('italia', 'Italy'),
    ('mexico', 'Mexico'), ('méxico', 'Mexico'),
    ('netherlands', 'Netherlands'), ('the netherlands', 'Netherlands'), ('holland', 'Netherlands'),
    ('norway', 'Norway'), ('norge', 'Norway'),
    ('poland', 'Poland'), ('polska', 'Poland'),
    ('portugal', 'Portugal'),
    ('spain', 'Spain'), ('españa', 'Spain'),
    ('sweden', 'Sweden'), ('sverige', 'Sweden'),
    ('switzerland', 'Switzerland'), ('schweiz', 'Switzerland'), ('suisse', 'Switzerland'),
    ('svizzera', 'Switzerland'),
    ('uk', 'United Kingdom'), ('u.k.', 'United Kingdom'), ('united kingdom', 'United Kingdom'),
    ('great britain', 'United Kingdom'),
    ('usa', 'United States'), ('u.s.a.', 'United States'), ('united states', 'United States'),
    ('venezuela', 'Venezuela')
) AS names (spelling, country)
