package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.cloud.jobs.VertexTraining.TuningDataStats.Distribution;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DistributionTest {
    @Test
    void describesNumbersAsNumPyDoes() {
        // numpy.percentile(numpy.arange(1, 101) ** 2, [5, 50, 95]) of NumPy 2.4.6
        ObjectNode json = new Distribution(IntStream.rangeClosed(1, 100).map(i -> i * i).toArray()).toJson();
        assertEquals(338350, json.get("sum").asInt());
        assertEquals(3383.5, json.get("mean").asDouble());
        assertEquals(35.45, json.get("p5").asDouble(), 1e-9);
        assertEquals(2550.5, json.get("median").asDouble(), 1e-9);
        assertEquals(9034.55, json.get("p95").asDouble(), 1e-9);
        int counted = 0;
        for (int i = 0; i < json.get("buckets").size(); i++) {
            counted += json.get("buckets").get(i).get("count").asInt();
        }
        assertEquals(100, counted);
    }

    @Test
    void nothingHasNoDistribution() {
        assertEquals(0, new Distribution(new int[0]).toJson().size());
    }
}
