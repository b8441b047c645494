package io.peft4j.spark;

import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkFiles;

/** Where executors find files. */
final class LocalFiles {
    private LocalFiles() {
    }

    /** A folder that this machine sees, or else one of that name that {@code SparkContext.addFile} has brought here. */
    static Path folder(String name) {
        Path here = Path.of(name);
        if (Files.exists(here) || SparkEnv.get() == null) {
            return here;
        }
        Path brought = Path.of(SparkFiles.get(here.getFileName().toString()));
        return Files.exists(brought) ? brought : here;
    }
}
