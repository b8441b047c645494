package io.peft4j.cli;

import io.peft4j.core.peft.file.AdapterSignature;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What signs an adapter and what verifies it; both say how many files that were. */
abstract class AdapterSigning extends PeftCommand {
    @Parameters(index = "0", paramLabel = "DIR", description = "The adapter.")
    private Path folder;

    @Mixin
    private JsonOption json;

    abstract int files(Path adapter);

    @Override
    public final Integer call() {
        int files = files(folder);
        if (json.isGiven()) {
            console().print(CommandJson.MAPPER.createObjectNode().put("adapter", folder.toString())
                    .put("signed_files", files));
        } else {
            console().say("%s: %d files are signed", folder, files);
        }
        return 0;
    }

    /** {@code peft4j adapter sign}. */
    @Command(name = "sign", sortOptions = false, description = "Signs all files of an adapter: "
            + AdapterSignature.MANIFEST + " lists their hashes, " + AdapterSignature.SIGNATURE + " signs the list.")
    static final class Sign extends AdapterSigning {
        @Option(names = "--key", required = true, paramLabel = "K.pem", description = "The private key, as 'openssl "
                + "genpkey -algorithm ed25519 -out K.pem' makes it.")
        private Path key;

        @Override
        int files(Path adapter) {
            return AdapterSignature.sign(adapter, key);
        }
    }

    /** {@code peft4j adapter verify}. */
    @Command(name = "verify", sortOptions = false, description = "Verifies that an adapter holds what was signed with "
            + "a key, and nothing else.")
    static final class Verify extends AdapterSigning {
        @Option(names = "--key", required = true, paramLabel = "K.pub",
                description = "The public key, as 'openssl pkey "
                        + "-in K.pem -pubout -out K.pub' makes it.")
        private Path key;

        @Override
        int files(Path adapter) {
            return AdapterSignature.trusting(key).verify(adapter);
        }
    }
}
