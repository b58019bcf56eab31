package store

// transferChecks hold transfers, stock levels and the ledger against each other.
var transferChecks = []check{
	{
		name:  "incoming",
		about: "incoming is the sum of what open transfers to the location have in transit",
		count: `SELECT count(*) FROM stock_levels`,
		sql: `SELECT d.location || '/' || d.sku, 'the level differs from the transfers to it by incoming ' || d.incoming::text
		        FROM (SELECT region, sku, location, sum(incoming) AS incoming
		                FROM (SELECT region, sku, location, incoming::decimal FROM stock_levels
		                       UNION ALL
		                      SELECT t.to_region, l.sku, t.to_location, l.received::decimal + l.lost + l.returned - l.shipped
		                        FROM transfers AS t JOIN transfer_lines AS l ON l.region::text = t.region::text AND l.transfer_id = t.id) AS both_sides
		               GROUP BY region, sku, location) AS d
		       WHERE d.incoming <> 0`,
	},
	{
		name:  "transfers",
		about: "every unit of a transfer that was shipped is received, lost, returned or in transit, as its status says",
		count: `SELECT count(*) FROM transfers`,
		sql: `SELECT d.transfer_id::text,
		             'status ' || coalesce(t.status, 'missing') || ', quantity ' || d.quantity::text || ', shipped ' || d.shipped::text
		          || ', received ' || d.received::text || ', lost ' || d.lost::text || ', returned ' || d.returned::text
		        FROM (SELECT region, transfer_id, sum(quantity) AS quantity, sum(shipped) AS shipped, sum(received) AS received,
		                     sum(lost) AS lost, sum(returned) AS returned, sum(odd) AS odd
		                FROM (SELECT region, transfer_id, quantity::decimal, shipped::decimal, received::decimal, lost::decimal, returned::decimal,
		                             CASE WHEN shipped IN (0, quantity) AND received >= 0 AND lost >= 0 AND returned >= 0
		                                   AND quarantined >= 0 AND quarantined <= received
		                                   AND received::decimal + lost + returned <= shipped THEN 0 ELSE 1 END AS odd
		                        FROM transfer_lines
		                       UNION ALL
		                      SELECT region, id, 0, 0, 0, 0, 0, 0 FROM transfers) AS both_sides
		               GROUP BY region, transfer_id) AS d
		        LEFT JOIN transfers AS t ON t.region::text = d.region::text AND t.id = d.transfer_id
		       WHERE t.status IS NULL OR d.quantity = 0 OR d.odd > 0
		          OR NOT CASE t.status
		                 WHEN 'in_transit' THEN d.shipped = d.quantity AND d.received + d.lost + d.returned = 0
		                 WHEN 'partially_received' THEN d.shipped = d.quantity AND d.received > 0 AND d.received < d.shipped AND d.lost + d.returned = 0
		                 WHEN 'received' THEN d.shipped = d.quantity AND d.received = d.shipped AND d.lost + d.returned = 0
		                 WHEN 'closed' THEN d.shipped = d.quantity AND d.received + d.lost + d.returned = d.shipped AND d.lost + d.returned > 0
		                 ELSE d.shipped = 0 END`,
	},
	{
		name:  "legs",
		about: "I3: what a transfer's lines say of their units is what the events of both ends say",
		count: `SELECT count(*) FROM transfer_lines`,
		sql: `SELECT d.transfer_id::text || ' SKU ' || d.sku,
		             'the lines differ from the events by shipped ' || d.shipped::text || ', expected ' || d.expected::text
		          || ', received ' || d.received::text || ', quarantined ' || d.quarantined::text || ', lost ' || d.lost::text
		          || ', recalled ' || d.recalled::text || ', returned ' || d.returned::text
		        FROM (SELECT transfer_home, transfer_id, sku, sum(shipped) AS shipped, sum(expected) AS expected, sum(received) AS received,
		                     sum(quarantined) AS quarantined, sum(lost) AS lost, sum(recalled) AS recalled, sum(returned) AS returned
		                FROM (SELECT region AS transfer_home, transfer_id, sku, shipped::decimal, shipped::decimal AS expected, received::decimal,
		                             quarantined::decimal, lost::decimal, returned::decimal AS recalled, returned::decimal
		                        FROM transfer_lines
		                       UNION ALL
		                      SELECT transfer_home, transfer_id, sku,
		                             CASE WHEN kind = 'transfer_ship' THEN on_hand_delta::decimal ELSE 0 END,
		                             CASE WHEN kind = 'transfer_expect' THEN -incoming_delta::decimal ELSE 0 END,
		                             CASE WHEN kind = 'transfer_receive' THEN incoming_delta::decimal ELSE 0 END,
		                             CASE WHEN kind = 'transfer_receive' THEN -quarantined_delta::decimal ELSE 0 END,
		                             CASE WHEN kind = 'transfer_lose' THEN incoming_delta::decimal ELSE 0 END,
		                             CASE WHEN kind = 'transfer_recall' THEN incoming_delta::decimal ELSE 0 END,
		                             CASE WHEN kind = 'transfer_return' THEN shortfall_delta::decimal - on_hand_delta ELSE 0 END
		                        FROM stock_events WHERE transfer_id IS NOT NULL) AS both_sides
		               GROUP BY transfer_home, transfer_id, sku) AS d
		       WHERE d.shipped <> 0 OR d.expected <> 0 OR d.received <> 0 OR d.quarantined <> 0 OR d.lost <> 0 OR d.recalled <> 0 OR d.returned <> 0`,
	},
}
