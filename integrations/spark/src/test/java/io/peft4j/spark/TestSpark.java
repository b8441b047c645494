package io.peft4j.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/** Sessions of Spark that the tests of this module share. A JVM has one at a time; asking for another ends it. */
public final class TestSpark {
    /** Whether what repeats a claim is tested, too. */
    public static final boolean FULL = !System.getProperty("test.excluded", "").contains("full");
    private static SparkSession session;

    private TestSpark() {
    }

    /** Two threads of this JVM. */
    public static SparkSession local() {
        return session("local[2]");
    }

    /** Two executors with one core each, JVMs of their own; two threads of this JVM without -Pfull. */
    public static SparkSession cluster() {
        return FULL ? session("local-cluster[2,1,1024]") : local();
    }

    /** A session of a kind; the one that there is where it is of that kind. */
    public static synchronized SparkSession session(String master) {
        if (session != null && !session.sparkContext().isStopped()
                && session.sparkContext().master().equals(master)) {
            return session;
        }
        if (session != null) {
            session.stop();
        }
        session = start(master);
        return session;
    }

    private static SparkSession start(String master) {
        Path home = Path.of(System.getenv("SPARK_HOME"));
        try {
            // Must be there, though the executors find all they need on the class path below.
            Files.createDirectories(home.resolve("jars"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return SparkSession.builder().master(master).appName("peft-spark")
                .config("spark.ui.enabled", false)
                .config("spark.sql.shuffle.partitions", 2)
                // To compile the code of a whole stage takes longer than these tables without it; -Pfull has it.
                .config("spark.sql.codegen.wholeStage", FULL)
                .config("spark.sql.warehouse.dir", home.resolve("warehouse").toUri().toString())
                .config("spark.executor.memory", System.getProperty("spark.executor.memory", "1g"))
                .config("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s")
                .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                .config("spark.executor.extraJavaOptions", executorOptions())
                .getOrCreate();
    }

    /** What surefire sets for the tests' JVM: how it logs, that no library calls home, where native libraries lie. */
    private static String executorOptions() {
        return Stream.of("ai.djl.offline", "org.slf4j.simpleLogger.log.org.apache",
                "org.slf4j.simpleLogger.log.org.sparkproject", "org.slf4j.simpleLogger.log.org.nd4j",
                "org.bytedeco.javacpp.cachedir").filter(name -> System.getProperty(name) != null)
                .map(name -> "-D" + name + "=" + System.getProperty(name))
                .reduce("-Xshare:auto", (options, option) -> options + " " + option);
    }
}
