package io.peft4j.serve;

import io.peft4j.core.Internal;
import io.peft4j.serve.store.Rebuild;
import java.nio.file.Path;
import java.util.Optional;

/** What a server keeps in its data folder. */
@Internal(shared = true)
public final class ServerData {
    private ServerData() {
    }

    /**
     * What was found in the folders.
     *
     * @param files files whose content is there
     * @param jobs jobs
     * @param models tuned models whose adapter is there, checkpoints counted
     * @param keys keys, revoked ones counted
     */
    public record Found(int files, int jobs, int models, int keys) {
    }

    /**
     * Builds the database of a server again that is lost or damaged, from what lies in the folders beside it. Jobs that
     * had not ended are checked again and trained on from their last checkpoints; events of jobs are lost. A damaged
     * file is put aside, not deleted.
     *
     * @param data the data folder of a server that does not run
     * @param database the database, which must be empty; without one the file in the folder
     * @throws io.peft4j.core.error.ConfigurationException when a server uses the folder
     * @throws io.peft4j.core.error.PeftException when the database is not empty, or the folder tells of nothing
     */
    public static Found rebuild(Path data, Optional<String> database) {
        Rebuild.Found found = Rebuild.run(data, database);
        return new Found(found.files(), found.jobs(), found.models(), found.keys());
    }
}
