-- What an environment document does not say of its features.
UPDATE features SET created_at = 1795219509858003 WHERE name = 'simple';
UPDATE features SET created_at = 1795219510222512, description = 'put', initial_value = 'hello', default_enabled = TRUE WHERE name = 'banner';
UPDATE features SET created_at = 1795219511904306, initial_value = '10', default_enabled = TRUE WHERE name = 'limit';
UPDATE features SET created_at = 1795219512586927, initial_value = 'True' WHERE name = 'flagbool';
UPDATE features SET created_at = 1795219513600402, initial_value = '1.5' WHERE name = 'ratio';
UPDATE features SET created_at = 1795219514238701, initial_value = '{''a'': 1}' WHERE name = 'obj';
UPDATE features SET created_at = 1795219514736022, initial_value = '{"a":1}' WHERE name = 'cfg';
UPDATE features SET created_at = 1795219515427941, initial_value = '42' WHERE name = 'numtext';
UPDATE features SET created_at = 1795219516206158, initial_value = 's3', default_enabled = TRUE WHERE name = 'secret-flag';
UPDATE features SET created_at = 1795219517033615, initial_value = 'red', default_enabled = TRUE WHERE name = 'colour';
UPDATE features SET created_at = 1795219518761823, initial_value = 'red' WHERE name = 'colour2';
UPDATE features SET created_at = 1795219520410334 WHERE name = 'has space';
UPDATE features SET created_at = 1795219520847871 WHERE name = 'a/b';
UPDATE features SET created_at = 1795219521762283 WHERE name = 'été';
UPDATE features SET created_at = 1795219526653900 WHERE name = 'old';
