/* SPDX-License-Identifier: Apache-2.0
 *
 * How a file of orders is to be read, as the options and its header say.
 */
#include <string.h>
#include "cli/history.h"

static int read_zone(const struct cli_call *call, struct history_orders *orders) {
    const char *name = cli_value(call, "timezone");
    struct at_error err = {0};
    if (!name || at_zone_load(name, &orders->zone, &err) == AT_OK) return EXIT_DONE;
    return cli_fail(call, err.code[0] && strcmp(err.code, "no_memory") == 0 ? EXIT_FAILED : EXIT_USAGE,
                    "--timezone: %s", err.message);
}

/* A format that cannot be is told before anything is read with it. */
static int check_format(const struct cli_call *call) {
    const char *format = cli_value(call, "at-format");
    struct at_error err = {0};
    int64_t ms;
    bool is_local;
    if (!format || at_time_parse_as(format, "", 0, &ms, &is_local, &err) == AT_OK) return EXIT_DONE;
    if (strcmp(err.code, "bad_format") != 0) return EXIT_DONE;
    return cli_fail(call, EXIT_USAGE, "--at-format: %s", err.message);
}

static int check_maps(const struct cli_call *call) {
    struct at_error err = {0};
    enum at_order_role role;
    const char *column;
    for (int i = 0; i < call->list_count; i++)
        if (at_order_map_read(call->list[i], &role, &column, &err) != AT_OK)
            return cli_fail(call, EXIT_USAGE, "--map: %s", err.message);
    return EXIT_DONE;
}

int history_orders_init(const struct cli_call *call, struct history_orders *orders) {
    *orders = (struct history_orders){.zone = NULL};
    int code = read_zone(call, orders);
    if (!code) code = check_format(call);
    if (!code) code = check_maps(call);
    orders->rules = (struct at_order_rules){.columns = &orders->columns,
                                            .at_format = cli_value(call, "at-format"),
                                            .zone = orders->zone,
                                            .currency = cli_value(call, "currency")};
    return code;
}

void history_orders_clear(struct history_orders *orders) {
    at_zone_free(orders->zone);
}

int history_orders_header(const struct cli_call *call, const struct history_rows *rows,
                          const struct at_order_need *needs, struct history_orders *orders) {
    struct at_error err = {0};
    size_t count;
    const struct at_text *header = history_rows_header(rows, &count);
    const char *name = history_rows_name(rows), *prefix = cli_value(call, "cancelled-prefix");
    at_order_columns_guess(header, count, &orders->columns);
    if (orders->rules.guesses) at_order_columns_guess_likely(&orders->columns);
    for (int i = 0; i < call->list_count; i++)
        if (at_order_columns_map(&orders->columns, call->list[i], &err) != AT_OK)
            return cli_fail(call, EXIT_USAGE, "%s: --map: %s", name, err.message);
    if (at_order_columns_check(&orders->columns, needs, &err) != AT_OK)
        return cli_fail(call, EXIT_USAGE, "%s: %s", name, err.message);
    orders->rules.cancelled_prefix = prefix ? prefix : orders->columns.cancelled_prefix;
    return EXIT_DONE;
}
