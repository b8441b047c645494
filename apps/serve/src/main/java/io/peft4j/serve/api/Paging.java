package io.peft4j.serve.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.store.Ids;
import io.peft4j.serve.store.ListPage;
import java.util.Optional;
import java.util.function.Function;

/** Lists in parts: {@code limit}, {@code after} and {@code order} of a request, and what the reply looks like. */
final class Paging {
    private Paging() {
    }

    /** Adds the parameters and the reply of a list to the description of its route. */
    static Operation describe(Operation operation, int mostLimit, String entry) {
        return operation.query("limit", "How many entries", "{'type': 'integer', 'minimum': 1, 'maximum': " + mostLimit
                + "}").query("order", "By age; the newest first unless asc",
                        "{'type': 'string', 'enum': ['asc', 'desc']}")
                .query("after", "The id of the entry before them", Operation.TEXT).replyList(entry);
    }

    /** What of a list a request asks for. */
    static ListPage.Request of(Context request, int defaultLimit, int mostLimit) {
        int limit = parameter(request, "limit").map(text -> limit(text, mostLimit)).orElse(defaultLimit);
        Optional<String> after = parameter(request, "after");
        after.filter(id -> !Ids.isValid(id)).ifPresent(id -> {
            throw ListPage.Request.unknownAfter();
        });
        boolean ascending = parameter(request, "order").map(Paging::isAscending).orElse(false);
        return new ListPage.Request(limit, after, ascending);
    }

    private static Optional<String> parameter(Context request, String name) {
        return Optional.ofNullable(request.queryParam(name)).filter(text -> !text.isEmpty());
    }

    private static int limit(String text, int most) {
        try {
            int limit = Integer.parseInt(text);
            if (limit >= 1 && limit <= most) {
                return limit;
            }
        } catch (NumberFormatException e) {
            throw ApiException.invalid("limit", "limit must be a number from 1 to " + most);
        }
        throw ApiException.invalid("limit", "limit must be from 1 to " + most + ", got " + text);
    }

    private static boolean isAscending(String text) {
        if (!text.equals("asc") && !text.equals("desc")) {
            throw ApiException.invalid("order", "order must be asc or desc");
        }
        return text.equals("asc");
    }

    /** {@code {"object": "list", "data": [...], "has_more", "first_id", "last_id"}}. */
    static <T> ObjectNode json(ListPage<T> page, Function<T, ObjectNode> entry) {
        ObjectNode reply = Json.object().put("object", "list");
        ArrayNode data = reply.putArray("data");
        page.entries().forEach(one -> data.add(entry.apply(one)));
        reply.put("has_more", page.hasMore());
        reply.set("first_id", data.isEmpty() ? null : data.get(0).get("id"));
        reply.set("last_id", data.isEmpty() ? null : data.get(data.size() - 1).get("id"));
        return reply;
    }
}
