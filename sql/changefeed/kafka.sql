-- Events and alerts into Kafka: topics stockyard_stock_events and stockyard_alerts.
-- CA certificate and password are base64 and percent-encoded in the address; keep it out of files that are shared.
-- initial_scan: the whole ledger first. Leave it out, and say no_initial_scan, for what comes from now on.
-- on_error = 'pause' (v21.2): a bus that is down for long pauses the job, and protect_data_from_gc_on_pause keeps
-- what it has yet to send; resume it with RESUME JOB.
-- kafka_sink_config (v21.2): a batch each 100 ms or 1000 rows, and no row is done before all replicas have it.
-- min_checkpoint_frequency (v22.1; leave it out before): without it, resolved comes every 30 s only.
CREATE CHANGEFEED FOR TABLE stock_events, alerts
  INTO 'kafka://broker-1:9093?topic_prefix=stockyard_&tls_enabled=true&ca_cert=BASE64&sasl_enabled=true&sasl_mechanism=SCRAM-SHA-512&sasl_user=stockyard&sasl_password=PASSWORD'
  WITH initial_scan,
       updated,
       resolved = '10s',
       min_checkpoint_frequency = '10s',
       format = json,
       envelope = wrapped,
       schema_change_policy = nobackfill,
       on_error = 'pause',
       protect_data_from_gc_on_pause,
       kafka_sink_config = '{"Flush": {"MaxMessages": 1000, "Messages": 1000, "Frequency": "100ms"}, "RequiredAcks": "ALL"}';
