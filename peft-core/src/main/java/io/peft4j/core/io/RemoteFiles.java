package io.peft4j.core.io;

import io.peft4j.core.error.ConfigurationException;
import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * Brings what lies at an address such as {@code s3://bucket/models/smollm2} to this machine, and back. Found by
 * ServiceLoader; the module {@code peft-cloud} has S3 and Google Cloud Storage.
 */
public interface RemoteFiles {
    /** The addresses that this one understands begin so, for instance {@code s3://}. */
    String prefix();

    /**
     * Brings the file or the folder at an address to this machine, as far as it is not there yet.
     *
     * @param address the address
     * @return where it lies here: the same place each time, also where nothing lies at the address yet; then nothing is
     *     there
     * @throws java.io.UncheckedIOException when the storage is not reached, or what came is damaged
     * @throws ConfigurationException when the address is wrong
     */
    Path fetch(String address);

    /**
     * Brings a file or a folder to an address, as far as it is not there yet. Nothing is deleted there.
     *
     * @param local what to bring
     * @param address where to
     * @throws java.io.UncheckedIOException when the storage does not take it
     */
    void publish(Path local, String address);

    /** Whether a text is an address, and not a path. */
    static boolean isRemote(String text) {
        return text.matches("(s3|gs)://.*");
    }

    /**
     * What understands an address.
     *
     * @throws ConfigurationException when nothing does; says what is missing
     */
    static RemoteFiles of(String address) {
        return ServiceLoader.load(RemoteFiles.class).stream().map(ServiceLoader.Provider::get)
                .filter(files -> address.startsWith(files.prefix())).findFirst()
                .orElseThrow(() -> new ConfigurationException("unsupported address " + address
                        + "; s3:// and gs:// need the module peft-cloud"));
    }
}
