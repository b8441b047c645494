package io.peft4j.cloud.storage;

import java.nio.file.Path;
import java.util.Map;

/** Where on this machine lies what came from a storage. */
public final class LocalPlace {
    /** The system property of the folder. */
    public static final String PROPERTY = "peft4j.remote.cache";

    /** Folder of what is remembered of transfers, below that of all. */
    static final String NOTES = ".notes";

    private LocalPlace() {
    }

    /** The folder of all, as the system property says, or the user's folder of caches. */
    public static Path root(Map<String, String> environment) {
        String chosen = System.getProperty(PROPERTY, "");
        if (!chosen.isBlank()) {
            return Path.of(chosen);
        }
        String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
        return (caches.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(caches))
                .resolve("peft4j/remote");
    }

    /** The place of an address below a folder. */
    public static Path of(Path root, Address address) {
        return root.resolve(address.scheme()).resolve(address.bucket()).resolve(address.key());
    }
}
