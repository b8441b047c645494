package io.peft4j.serve.store;

import io.peft4j.serve.http.ApiException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A part of a list, the newest first.
 *
 * @param entries the entries
 * @param hasMore whether others follow
 */
public record ListPage<T>(List<T> entries, boolean hasMore) {
    /** Copies the list. */
    public ListPage {
        entries = List.copyOf(entries);
    }

    /** From one entry more than was asked for, if there are as many. */
    static <T> ListPage<T> of(List<T> oneMore, int limit) {
        return new ListPage<>(oneMore.subList(0, Math.min(limit, oneMore.size())), oneMore.size() > limit);
    }

    /**
     * What of a list is wanted.
     *
     * @param limit how many entries
     * @param after the id of the entry before them; empty from the beginning
     * @param ascending whether the oldest come first
     */
    public record Request(int limit, Optional<String> after, boolean ascending) {
        /** 400 for an entry that is not in the list. */
        public static ApiException unknownAfter() {
            return ApiException.invalid("after", "after names no entry of this list");
        }

        /** The number of the entry before; fails where none of the rows that a condition names is called so. */
        Optional<Long> seq(Sql sql, String table, String which, Object... values) throws SQLException {
            List<Object> all = new ArrayList<>(List.of(values));
            all.add(after);
            return after.isEmpty() ? Optional.empty() : Optional.of(sql.first("SELECT seq FROM " + table + " WHERE "
                    + which + " AND id = ?", row -> row.getLong(1), all.toArray()).orElseThrow(Request::unknownAfter));
        }

        /** The end of a query: the rows behind the number of the entry before, in order. */
        String tail(Optional<Long> afterSeq) {
            return afterSeq.map(number -> " AND seq" + (ascending ? " > " : " < ") + number).orElse("")
                    + " ORDER BY seq" + (ascending ? " ASC" : " DESC");
        }
    }
}
