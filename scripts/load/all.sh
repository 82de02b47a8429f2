#!/usr/bin/env bash
# Loads every real data set of a folder into the database that PG* names:
#   scripts/load/all.sh FOLDER [SET...]
# Each set has a loader of its own beside this file, which reads one file from
# stdin; this script only says which file goes to which.
set -euo pipefail
data=$1
here=$(cd "$(dirname "$0")" && pwd)
shift
wanted=" ${*:-incidents ci uptime metrics forecasts hotel weblog} "

wants() { [[ $wanted == *" $1 "* ]]; }
load() { # FILE LOADER [psql options]
    local file=$1 loader=$2
    shift 2
    if [ ! -e "$data/$file" ]; then
        echo "  $file is not there: left out"
        return
    fi
    gzip -dcf "$data/$file" | psql -XqAt -f "$here/$loader" "$@"
}

if wants incidents; then
    load incidents_servicenow/incident_event_log_opened_before_2016-04.csv.gz incidents_servicenow.sql
fi
if wants ci; then
    for repository in onnx-light yet-another-onnx-builder yet-another-onnxruntime-extensions; do
        load "ci_runs_github_actions/$repository.csv" ci_runs.sql -v tenant="$repository"
    done
fi
if wants uptime; then
    load uptime_checks/toro_server.csv.gz uptime_checks.sql -v tenant=toro
    load uptime_checks/manticore.csv uptime_checks.sql -v tenant=manticore
fi
if wants metrics; then
    left=0 left_names=()
    for file in "$data"/metrics_nab_cloudwatch/*.csv; do
        [ -e "$file" ] || continue
        series=$(basename "$file" .csv)
        case $series in
            ec2_cpu_utilization_* | rds_cpu_utilization_*)
                load "metrics_nab_cloudwatch/$series.csv" cloudwatch.sql -v service="${series/_cpu_utilization/}" -v metric=cpu_percent ;;
            elb_request_count_*)
                load "metrics_nab_cloudwatch/$series.csv" cloudwatch.sql -v service="${series/_request_count/}" -v metric=request_count ;;
            *)
                left=$((left + $(wc -l <"$file") - 1))
                left_names+=("$series") ;;
        esac
    done
    [ $left -eq 0 ] || echo "  left out, since no column of a sample holds bytes or instances: $left points of ${left_names[*]}"
fi
if wants forecasts; then
    load forecasts_538/nfl_games.csv forecasts.sql -v model=NFL
    load forecasts_538/nba_games.csv.gz forecasts.sql -v model=NBA
    load forecasts_538/wnba_games.csv forecasts.sql -v model=WNBA
fi
if wants hotel; then
    load hotel_bookings/hotel_bookings_city.csv.gz hotel_bookings.sql
fi
if wants weblog; then
    load weblog_apache_combined/access_2015-05-17_18.log.gz weblog.sql
fi
