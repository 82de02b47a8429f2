-- Hotel bookings as guest events, from stdin: one when it was booked, one when
-- it ended (stay over, cancelled, no show):
--   gzip -dc hotel_bookings.csv.gz | psql -f scripts/load/hotel_bookings.sql
\set tenant city-hotel
\set name 'City hotel (bookings)'
\set zone Europe/Lisbon
\ir tenant.sql
CREATE TEMP TABLE bookings (
    hotel text, is_canceled text, lead_time integer, arrival_date_year text, arrival_date_month text, arrival_date_week_number text,
    arrival_date_day_of_month text, stays_in_weekend_nights integer, stays_in_week_nights integer, adults integer, children text,
    babies integer, meal text, country text, market_segment text, distribution_channel text, is_repeated_guest text,
    previous_cancellations text, previous_bookings_not_canceled text, reserved_room_type text, assigned_room_type text,
    booking_changes text, deposit_type text, agent text, company text, days_in_waiting_list text, customer_type text, adr numeric,
    required_car_parking_spaces text, total_of_special_requests integer, reservation_status text, reservation_status_date text,
    line bigint GENERATED ALWAYS AS IDENTITY);
\copy bookings (hotel, is_canceled, lead_time, arrival_date_year, arrival_date_month, arrival_date_week_number, arrival_date_day_of_month, stays_in_weekend_nights, stays_in_week_nights, adults, children, babies, meal, country, market_segment, distribution_channel, is_repeated_guest, previous_cancellations, previous_bookings_not_canceled, reserved_room_type, assigned_room_type, booking_changes, deposit_type, agent, company, days_in_waiting_list, customer_type, adr, required_car_parking_spaces, total_of_special_requests, reservation_status, reservation_status_date) FROM pstdin (FORMAT csv, HEADER)

-- Days are the hotel's: noon of them, so that they stay the same day.
CREATE TEMP TABLE booking AS
SELECT b.*, to_date(concat_ws(' ', arrival_date_day_of_month, arrival_date_month, arrival_date_year), 'DD Month YYYY') - lead_time AS booked_on,
       to_date(reservation_status_date, 'MM/DD/YYYY') AS ended_on
FROM bookings b;

INSERT INTO bcce.inbox_events (tenant, event_id, event_type, occurred_at, guest_type, session_id, properties, source)
SELECT :'tenant', 'booking-' || line, 'booking', booked_on || 'T12:00:00+00:00', customer_type, 'booking-' || line,
       jsonb_build_object('nights', stays_in_weekend_nights + stays_in_week_nights, 'adults', adults,
           'children', CASE WHEN children ~ '^\d+$' THEN children::integer END, 'meal', meal, 'country', nullif(country, 'NULL'),
           'segment', market_segment, 'rate_eur', adr, 'lead_days', lead_time), 'bookings'
FROM booking
UNION ALL
SELECT :'tenant', 'end-' || line, CASE reservation_status WHEN 'Check-Out' THEN 'check_out' WHEN 'Canceled' THEN 'cancellation' ELSE 'no_show' END,
       ended_on || 'T12:00:00+00:00', customer_type, 'booking-' || line, NULL, 'bookings'
FROM booking;

SELECT format('  %s bookings read, %s events sent, %s refused; %s without a number of children: left empty', count(*), 2 * count(*),
    (SELECT coalesce(sum(rejected_count), 0) FROM bcce.rejected r JOIN bcce_data.tenants t ON t.tenant_id = r.tenant_id WHERE t.slug = :'tenant'),
    count(*) FILTER (WHERE children !~ '^\d+$'))
FROM booking \g (tuples_only=on format=unaligned)
