-- One text before and after the gate, as an error message of a run.
\ir style.sql
SELECT 'refund for ann.lee' || '@' || 'mail.example, card 5555 5555 ' || '5555 4444, key AKIA' || 'QZ7J4MWX' || '5KTN2VRB, from 198.51.100' || '.23' AS message \gset
SELECT bcce.record_workflow_run('refund', 'failed', now() - interval '1 minute', now(), 'demo-redaction', 'ann.lee' || '@' || 'mail.example',
    error_message => :'message', is_test => true, tenant => 'sample-acme') \g /dev/null
SELECT 'sent' AS "what", :'message' AS error_message, 'ann.lee' || '@' || 'mail.example' AS person
UNION ALL
SELECT 'stored', error_message, user_key FROM bcce_data.workflow_runs WHERE run_id = 'demo-redaction';
