package io.peft4j.cloud.jobs;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;

/** Numbers of examples as Vertex AI describes them: sum, least, greatest, mean, quantiles and ten buckets. */
record Distribution(int[] values) {
    private static final int BUCKETS = 10;

    Distribution {
        values = values.clone();
        Arrays.sort(values);
    }

    ObjectNode toJson() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        if (values.length == 0) {
            return json;
        }
        int least = values[0];
        int greatest = values[values.length - 1];
        json.put("sum", Arrays.stream(values).asLongStream().sum()).put("min", least).put("max", greatest)
                .put("mean", Arrays.stream(values).average().getAsDouble()).put("median", quantile(0.5))
                .put("p5", quantile(0.05)).put("p95", quantile(0.95));
        ArrayNode buckets = json.putArray("buckets");
        double width = Math.max(1, greatest - least + 1) / (double) BUCKETS;
        for (int i = 0; i < BUCKETS; i++) {
            double left = least + i * width;
            double right = left + width;
            long count = Arrays.stream(values).filter(value -> value >= left && value < right).count();
            if (count > 0) {
                buckets.addObject().put("count", count).put("left", left).put("right", right);
            }
        }
        return json;
    }

    /** Between the two nearest values, as far as the share lies between them. */
    private double quantile(double share) {
        double at = share * (values.length - 1);
        int below = (int) Math.floor(at);
        int above = Math.min(values.length - 1, below + 1);
        return values[below] + (at - below) * (values[above] - values[below]);
    }
}
