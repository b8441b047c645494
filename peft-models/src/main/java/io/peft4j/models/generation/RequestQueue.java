package io.peft4j.models.generation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * Requests that wait, by client. Next comes the client with the fewest answers that grow, of several the one that was
 * served longest ago; within a client the first comes first that may begin. Not safe for several threads.
 */
final class RequestQueue {
    private final Map<String, Deque<PendingRequest>> byClient = new LinkedHashMap<>();
    private int size;

    int size() {
        return size;
    }

    /** How many of a client wait. */
    int of(String client) {
        return byClient.getOrDefault(client, new ArrayDeque<>()).size();
    }

    void add(PendingRequest pending) {
        byClient.computeIfAbsent(pending.request().client(), client -> new ArrayDeque<>()).addLast(pending);
        size++;
    }

    /**
     * The next one of those that may begin.
     *
     * @param running gives the number of a client's answers that grow
     */
    Optional<PendingRequest> next(ToIntFunction<String> running, Predicate<PendingRequest> ready) {
        return byClient.values().stream().flatMap(requests -> requests.stream().filter(ready).limit(1))
                .reduce((a, b) -> running.applyAsInt(b.request().client()) < running.applyAsInt(a.request().client())
                        ? b : a);
    }

    List<PendingRequest> all() {
        return byClient.values().stream().flatMap(Deque::stream).toList();
    }

    /** Takes one out; its client comes behind the others. */
    void remove(PendingRequest pending) {
        String client = pending.request().client();
        Deque<PendingRequest> requests = byClient.get(client);
        if (requests != null && requests.remove(pending)) {
            size--;
            byClient.remove(client);
            if (!requests.isEmpty()) {
                byClient.put(client, requests);
            }
        }
    }
}
