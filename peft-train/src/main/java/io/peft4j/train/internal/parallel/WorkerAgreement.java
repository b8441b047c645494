package io.peft4j.train.internal.parallel;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.internal.task.RunSettings;
import io.peft4j.train.parallel.WorkerCollective;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** That all workers train the same, from the same values. */
public final class WorkerAgreement {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerAgreement.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NONE = "none";
    private static final int SHOWN = 60;

    private WorkerAgreement() {
    }

    /**
     * Compares what the workers are about to do.
     *
     * @throws ConfigurationException when one differs from the first; says in what
     */
    public static void require(WorkerCollective workers, RunSettings settings, PeftModel model) {
        if (workers.count() == 1) {
            return;
        }
        Map<String, String> own = new LinkedHashMap<>(settings.values());
        for (String name : model.activeAdapters()) {
            own.put("values of the adapter '" + name + "'", model.fingerprint(name));
        }
        List<byte[]> all = workers.gather(bytes(own));
        Map<String, String> first = values(all.get(0));
        for (int rank = 1; rank < all.size(); rank++) {
            compare(workers.name(rank), values(all.get(rank)), first);
        }
    }

    private static void compare(String worker, Map<String, String> asked, Map<String, String> first) {
        List<String> differences = new ArrayList<>();
        TreeSet<String> names = new TreeSet<>(asked.keySet());
        names.addAll(first.keySet());
        for (String name : names) {
            String here = asked.getOrDefault(name, NONE);
            String there = first.getOrDefault(name, NONE);
            if (!here.equals(there) && name.equals(Kernels.PROCESSOR)) {
                LOG.warn("{} has another processor than the first ({}, the first {}): it rounds in another way", worker,
                        here, there);
            } else if (!here.equals(there)) {
                differences.add(name + " is " + inShort(here) + ", for the first worker " + inShort(there));
            }
        }
        if (!differences.isEmpty()) {
            throw new ConfigurationException(worker + " trains something else than the first: "
                    + String.join("; ", differences) + ". Give all workers the same options, data, base and adapter");
        }
    }

    private static String inShort(String value) {
        return value.matches("[0-9a-f]{64}") ? value.substring(0, 12)
                : value.length() > SHOWN ? value.substring(0, SHOWN) + "..." : value;
    }

    private static byte[] bytes(Map<String, String> values) {
        try {
            return JSON.writeValueAsBytes(values);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("texts are JSON", e);
        }
    }

    private static Map<String, String> values(byte[] said) {
        try {
            return JSON.readValue(said, new TypeReference<>() {
            });
        } catch (java.io.IOException e) {
            throw new ConfigurationException("a worker says something else than its settings: " + e.getMessage(), e);
        }
    }
}
