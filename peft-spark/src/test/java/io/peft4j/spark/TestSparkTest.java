package io.peft4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;

class TestSparkTest {

    @Test
    void executorsRunTheClassesOfTheTests() {
        SparkSession spark = TestSpark.cluster();
        List<Integer> numbers = IntStream.range(0, 100).boxed().toList();
        long processes = spark.createDataset(numbers, Encoders.INT()).repartition(4)
                .map((MapFunction<Integer, Long>) TestSparkTest::process, Encoders.LONG()).distinct().count();
        assertEquals(2, processes);
    }

    private static long process(int number) {
        return ProcessHandle.current().pid();
    }
}
