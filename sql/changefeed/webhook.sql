-- Events and alerts to an HTTPS endpoint (v21.2 and later): POST {"payload": [{"after": ..., "key": [...], "topic": "stock_events", "updated": "..."}], "length": n}.
-- Anything but 2xx is sent again: 6 times from 500 ms on, each pause twice the one before; then the job pauses, and RESUME JOB goes on.
-- Only this endpoint knows the secret of its header; Stockyard's own webhooks sign each delivery instead.
-- min_checkpoint_frequency (v22.1; leave it out before): without it, resolved comes every 30 s only.
CREATE CHANGEFEED FOR TABLE stock_events, alerts
  INTO 'webhook-https://bus.example.com/stockyard?ca_cert=BASE64'
  WITH initial_scan,
       updated,
       resolved = '10s',
       min_checkpoint_frequency = '10s',
       format = json,
       envelope = wrapped,
       schema_change_policy = nobackfill,
       on_error = 'pause',
       protect_data_from_gc_on_pause,
       webhook_auth_header = 'Bearer TOKEN',
       webhook_client_timeout = '10s',
       webhook_sink_config = '{"Flush": {"Messages": 100, "Frequency": "1s"}, "Retry": {"Max": 6, "Backoff": "500ms"}}';
