// Generated from events.proto by scripts/generate-events.js (npm run generate): do not edit.
import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace artifactstore. */
export namespace artifactstore {

    /** Namespace events. */
    namespace events {

        /**
         * Properties of an Event.
         * @deprecated Use artifactstore.events.Event.$Properties instead.
         */
        interface IEvent extends artifactstore.events.Event.$Properties {
        }

        /** Represents an Event. */
        class Event {

            /**
             * Constructs a new Event.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.Event.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Event id. */
            id: Uint8Array;

            /** Event stream. */
            stream: string;

            /** Event occurredAt. */
            occurredAt: (number|Long);

            /** Event actor. */
            actor?: (artifactstore.events.Actor.$Properties|null);

            /** Event requestId. */
            requestId: Uint8Array;

            /** Event commandId. */
            commandId: Uint8Array;

            /** Event correlationId. */
            correlationId: Uint8Array;

            /** Event causationId. */
            causationId: Uint8Array;

            /** Event clientHash. */
            clientHash: Uint8Array;

            /** Event checksum. */
            checksum: number;

            /** Event repositoryCreated. */
            repositoryCreated?: (artifactstore.events.RepositoryCreated.$Properties|null);

            /** Event repositoryCreatedV2. */
            repositoryCreatedV2?: (artifactstore.events.RepositoryCreatedV2.$Properties|null);

            /** Event repositoryDeletionBegun. */
            repositoryDeletionBegun?: (artifactstore.events.RepositoryDeletionBegun.$Properties|null);

            /** Event repositoryDeleted. */
            repositoryDeleted?: (artifactstore.events.RepositoryDeleted.$Properties|null);

            /** Event blobStored. */
            blobStored?: (artifactstore.events.BlobStored.$Properties|null);

            /** Event blobPushed. */
            blobPushed?: (artifactstore.events.BlobPushed.$Properties|null);

            /** Event blobMounted. */
            blobMounted?: (artifactstore.events.BlobMounted.$Properties|null);

            /** Event blobUnlinked. */
            blobUnlinked?: (artifactstore.events.BlobUnlinked.$Properties|null);

            /** Event manifestPushed. */
            manifestPushed?: (artifactstore.events.ManifestPushed.$Properties|null);

            /** Event manifestDeleted. */
            manifestDeleted?: (artifactstore.events.ManifestDeleted.$Properties|null);

            /** Event tagMoved. */
            tagMoved?: (artifactstore.events.TagMoved.$Properties|null);

            /** Event tagDeleted. */
            tagDeleted?: (artifactstore.events.TagDeleted.$Properties|null);

            /** Event repositorySettingsChanged. */
            repositorySettingsChanged?: (artifactstore.events.RepositorySettingsChanged.$Properties|null);

            /** Event contentErased. */
            contentErased?: (artifactstore.events.ContentErased.$Properties|null);

            /** Event organizationCreated. */
            organizationCreated?: (artifactstore.events.OrganizationCreated.$Properties|null);

            /** Event projectCreated. */
            projectCreated?: (artifactstore.events.ProjectCreated.$Properties|null);

            /** Event userCreated. */
            userCreated?: (artifactstore.events.UserCreated.$Properties|null);

            /** Event roleGranted. */
            roleGranted?: (artifactstore.events.RoleGranted.$Properties|null);

            /** Event roleRevoked. */
            roleRevoked?: (artifactstore.events.RoleRevoked.$Properties|null);

            /** Event organizationDescribed. */
            organizationDescribed?: (artifactstore.events.OrganizationDescribed.$Properties|null);

            /** Event organizationDeleted. */
            organizationDeleted?: (artifactstore.events.OrganizationDeleted.$Properties|null);

            /** Event projectDescribed. */
            projectDescribed?: (artifactstore.events.ProjectDescribed.$Properties|null);

            /** Event projectDeleted. */
            projectDeleted?: (artifactstore.events.ProjectDeleted.$Properties|null);

            /** Event userDisabled. */
            userDisabled?: (artifactstore.events.UserDisabled.$Properties|null);

            /** Event userEnabled. */
            userEnabled?: (artifactstore.events.UserEnabled.$Properties|null);

            /** Event userPasswordChanged. */
            userPasswordChanged?: (artifactstore.events.UserPasswordChanged.$Properties|null);

            /** Event userForgotten. */
            userForgotten?: (artifactstore.events.UserForgotten.$Properties|null);

            /** Event serviceAccountCreated. */
            serviceAccountCreated?: (artifactstore.events.ServiceAccountCreated.$Properties|null);

            /** Event serviceAccountDeleted. */
            serviceAccountDeleted?: (artifactstore.events.ServiceAccountDeleted.$Properties|null);

            /** Event serviceAccountKeyAdded. */
            serviceAccountKeyAdded?: (artifactstore.events.ServiceAccountKeyAdded.$Properties|null);

            /** Event serviceAccountKeyRevoked. */
            serviceAccountKeyRevoked?: (artifactstore.events.ServiceAccountKeyRevoked.$Properties|null);

            /** Event payload. */
            payload?: ("repositoryCreated"|"repositoryCreatedV2"|"repositoryDeletionBegun"|"repositoryDeleted"|"blobStored"|"blobPushed"|"blobMounted"|"blobUnlinked"|"manifestPushed"|"manifestDeleted"|"tagMoved"|"tagDeleted"|"repositorySettingsChanged"|"contentErased"|"organizationCreated"|"projectCreated"|"userCreated"|"roleGranted"|"roleRevoked"|"organizationDescribed"|"organizationDeleted"|"projectDescribed"|"projectDeleted"|"userDisabled"|"userEnabled"|"userPasswordChanged"|"userForgotten"|"serviceAccountCreated"|"serviceAccountDeleted"|"serviceAccountKeyAdded"|"serviceAccountKeyRevoked");

            /**
             * Encodes the specified Event message. Does not implicitly {@link artifactstore.events.Event.verify|verify} messages.
             * @param message Event message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.Event.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Event message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.Event & artifactstore.events.Event.$Shape} Event
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.Event & artifactstore.events.Event.$Shape;

            /**
             * Verifies an Event message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace Event {

            /** Properties of an Event. */
            interface $Properties {

                /** Event id */
                id?: (Uint8Array|null);

                /** Event stream */
                stream?: (string|null);

                /** Event occurredAt */
                occurredAt?: (number|Long|null);

                /** Event actor */
                actor?: (artifactstore.events.Actor.$Properties|null);

                /** Event requestId */
                requestId?: (Uint8Array|null);

                /** Event commandId */
                commandId?: (Uint8Array|null);

                /** Event correlationId */
                correlationId?: (Uint8Array|null);

                /** Event causationId */
                causationId?: (Uint8Array|null);

                /** Event clientHash */
                clientHash?: (Uint8Array|null);

                /** Event checksum */
                checksum?: (number|null);

                /** Event repositoryCreated */
                repositoryCreated?: (artifactstore.events.RepositoryCreated.$Properties|null);

                /** Event repositoryCreatedV2 */
                repositoryCreatedV2?: (artifactstore.events.RepositoryCreatedV2.$Properties|null);

                /** Event repositoryDeletionBegun */
                repositoryDeletionBegun?: (artifactstore.events.RepositoryDeletionBegun.$Properties|null);

                /** Event repositoryDeleted */
                repositoryDeleted?: (artifactstore.events.RepositoryDeleted.$Properties|null);

                /** Event blobStored */
                blobStored?: (artifactstore.events.BlobStored.$Properties|null);

                /** Event blobPushed */
                blobPushed?: (artifactstore.events.BlobPushed.$Properties|null);

                /** Event blobMounted */
                blobMounted?: (artifactstore.events.BlobMounted.$Properties|null);

                /** Event blobUnlinked */
                blobUnlinked?: (artifactstore.events.BlobUnlinked.$Properties|null);

                /** Event manifestPushed */
                manifestPushed?: (artifactstore.events.ManifestPushed.$Properties|null);

                /** Event manifestDeleted */
                manifestDeleted?: (artifactstore.events.ManifestDeleted.$Properties|null);

                /** Event tagMoved */
                tagMoved?: (artifactstore.events.TagMoved.$Properties|null);

                /** Event tagDeleted */
                tagDeleted?: (artifactstore.events.TagDeleted.$Properties|null);

                /** Event repositorySettingsChanged */
                repositorySettingsChanged?: (artifactstore.events.RepositorySettingsChanged.$Properties|null);

                /** Event contentErased */
                contentErased?: (artifactstore.events.ContentErased.$Properties|null);

                /** Event organizationCreated */
                organizationCreated?: (artifactstore.events.OrganizationCreated.$Properties|null);

                /** Event projectCreated */
                projectCreated?: (artifactstore.events.ProjectCreated.$Properties|null);

                /** Event userCreated */
                userCreated?: (artifactstore.events.UserCreated.$Properties|null);

                /** Event roleGranted */
                roleGranted?: (artifactstore.events.RoleGranted.$Properties|null);

                /** Event roleRevoked */
                roleRevoked?: (artifactstore.events.RoleRevoked.$Properties|null);

                /** Event organizationDescribed */
                organizationDescribed?: (artifactstore.events.OrganizationDescribed.$Properties|null);

                /** Event organizationDeleted */
                organizationDeleted?: (artifactstore.events.OrganizationDeleted.$Properties|null);

                /** Event projectDescribed */
                projectDescribed?: (artifactstore.events.ProjectDescribed.$Properties|null);

                /** Event projectDeleted */
                projectDeleted?: (artifactstore.events.ProjectDeleted.$Properties|null);

                /** Event userDisabled */
                userDisabled?: (artifactstore.events.UserDisabled.$Properties|null);

                /** Event userEnabled */
                userEnabled?: (artifactstore.events.UserEnabled.$Properties|null);

                /** Event userPasswordChanged */
                userPasswordChanged?: (artifactstore.events.UserPasswordChanged.$Properties|null);

                /** Event userForgotten */
                userForgotten?: (artifactstore.events.UserForgotten.$Properties|null);

                /** Event serviceAccountCreated */
                serviceAccountCreated?: (artifactstore.events.ServiceAccountCreated.$Properties|null);

                /** Event serviceAccountDeleted */
                serviceAccountDeleted?: (artifactstore.events.ServiceAccountDeleted.$Properties|null);

                /** Event serviceAccountKeyAdded */
                serviceAccountKeyAdded?: (artifactstore.events.ServiceAccountKeyAdded.$Properties|null);

                /** Event serviceAccountKeyRevoked */
                serviceAccountKeyRevoked?: (artifactstore.events.ServiceAccountKeyRevoked.$Properties|null);

                /** Event payload */
                payload?: ("repositoryCreated"|"repositoryCreatedV2"|"repositoryDeletionBegun"|"repositoryDeleted"|"blobStored"|"blobPushed"|"blobMounted"|"blobUnlinked"|"manifestPushed"|"manifestDeleted"|"tagMoved"|"tagDeleted"|"repositorySettingsChanged"|"contentErased"|"organizationCreated"|"projectCreated"|"userCreated"|"roleGranted"|"roleRevoked"|"organizationDescribed"|"organizationDeleted"|"projectDescribed"|"projectDeleted"|"userDisabled"|"userEnabled"|"userPasswordChanged"|"userForgotten"|"serviceAccountCreated"|"serviceAccountDeleted"|"serviceAccountKeyAdded"|"serviceAccountKeyRevoked");

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of an Event. */
            type $Shape = {
              id?: Uint8Array|null;
              stream?: string|null;
              occurredAt?: number|Long|null;
              actor?: artifactstore.events.Actor.$Shape|null;
              requestId?: Uint8Array|null;
              commandId?: Uint8Array|null;
              correlationId?: Uint8Array|null;
              causationId?: Uint8Array|null;
              clientHash?: Uint8Array|null;
              checksum?: number|null;
              repositoryCreated?: artifactstore.events.RepositoryCreated.$Shape|null;
              repositoryCreatedV2?: artifactstore.events.RepositoryCreatedV2.$Shape|null;
              repositoryDeletionBegun?: artifactstore.events.RepositoryDeletionBegun.$Shape|null;
              repositoryDeleted?: artifactstore.events.RepositoryDeleted.$Shape|null;
              blobStored?: artifactstore.events.BlobStored.$Shape|null;
              blobPushed?: artifactstore.events.BlobPushed.$Shape|null;
              blobMounted?: artifactstore.events.BlobMounted.$Shape|null;
              blobUnlinked?: artifactstore.events.BlobUnlinked.$Shape|null;
              manifestPushed?: artifactstore.events.ManifestPushed.$Shape|null;
              manifestDeleted?: artifactstore.events.ManifestDeleted.$Shape|null;
              tagMoved?: artifactstore.events.TagMoved.$Shape|null;
              tagDeleted?: artifactstore.events.TagDeleted.$Shape|null;
              repositorySettingsChanged?: artifactstore.events.RepositorySettingsChanged.$Shape|null;
              contentErased?: artifactstore.events.ContentErased.$Shape|null;
              organizationCreated?: artifactstore.events.OrganizationCreated.$Shape|null;
              projectCreated?: artifactstore.events.ProjectCreated.$Shape|null;
              userCreated?: artifactstore.events.UserCreated.$Shape|null;
              roleGranted?: artifactstore.events.RoleGranted.$Shape|null;
              roleRevoked?: artifactstore.events.RoleRevoked.$Shape|null;
              organizationDescribed?: artifactstore.events.OrganizationDescribed.$Shape|null;
              organizationDeleted?: artifactstore.events.OrganizationDeleted.$Shape|null;
              projectDescribed?: artifactstore.events.ProjectDescribed.$Shape|null;
              projectDeleted?: artifactstore.events.ProjectDeleted.$Shape|null;
              userDisabled?: artifactstore.events.UserDisabled.$Shape|null;
              userEnabled?: artifactstore.events.UserEnabled.$Shape|null;
              userPasswordChanged?: artifactstore.events.UserPasswordChanged.$Shape|null;
              userForgotten?: artifactstore.events.UserForgotten.$Shape|null;
              serviceAccountCreated?: artifactstore.events.ServiceAccountCreated.$Shape|null;
              serviceAccountDeleted?: artifactstore.events.ServiceAccountDeleted.$Shape|null;
              serviceAccountKeyAdded?: artifactstore.events.ServiceAccountKeyAdded.$Shape|null;
              serviceAccountKeyRevoked?: artifactstore.events.ServiceAccountKeyRevoked.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ payload?: undefined; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "repositoryCreated"; repositoryCreated: artifactstore.events.RepositoryCreated.$Shape; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "repositoryCreatedV2"; repositoryCreated?: null; repositoryCreatedV2: artifactstore.events.RepositoryCreatedV2.$Shape; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "repositoryDeletionBegun"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun: artifactstore.events.RepositoryDeletionBegun.$Shape; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "repositoryDeleted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted: artifactstore.events.RepositoryDeleted.$Shape; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "blobStored"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored: artifactstore.events.BlobStored.$Shape; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "blobPushed"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed: artifactstore.events.BlobPushed.$Shape; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "blobMounted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted: artifactstore.events.BlobMounted.$Shape; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "blobUnlinked"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked: artifactstore.events.BlobUnlinked.$Shape; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "manifestPushed"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed: artifactstore.events.ManifestPushed.$Shape; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "manifestDeleted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted: artifactstore.events.ManifestDeleted.$Shape; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "tagMoved"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved: artifactstore.events.TagMoved.$Shape; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "tagDeleted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted: artifactstore.events.TagDeleted.$Shape; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "repositorySettingsChanged"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged: artifactstore.events.RepositorySettingsChanged.$Shape; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "contentErased"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased: artifactstore.events.ContentErased.$Shape; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "organizationCreated"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated: artifactstore.events.OrganizationCreated.$Shape; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "projectCreated"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated: artifactstore.events.ProjectCreated.$Shape; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "userCreated"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated: artifactstore.events.UserCreated.$Shape; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "roleGranted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted: artifactstore.events.RoleGranted.$Shape; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "roleRevoked"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked: artifactstore.events.RoleRevoked.$Shape; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "organizationDescribed"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed: artifactstore.events.OrganizationDescribed.$Shape; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "organizationDeleted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted: artifactstore.events.OrganizationDeleted.$Shape; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "projectDescribed"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed: artifactstore.events.ProjectDescribed.$Shape; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "projectDeleted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted: artifactstore.events.ProjectDeleted.$Shape; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "userDisabled"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled: artifactstore.events.UserDisabled.$Shape; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "userEnabled"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled: artifactstore.events.UserEnabled.$Shape; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "userPasswordChanged"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged: artifactstore.events.UserPasswordChanged.$Shape; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "userForgotten"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten: artifactstore.events.UserForgotten.$Shape; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "serviceAccountCreated"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated: artifactstore.events.ServiceAccountCreated.$Shape; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "serviceAccountDeleted"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted: artifactstore.events.ServiceAccountDeleted.$Shape; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked?: null }|{ payload?: "serviceAccountKeyAdded"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded: artifactstore.events.ServiceAccountKeyAdded.$Shape; serviceAccountKeyRevoked?: null }|{ payload?: "serviceAccountKeyRevoked"; repositoryCreated?: null; repositoryCreatedV2?: null; repositoryDeletionBegun?: null; repositoryDeleted?: null; blobStored?: null; blobPushed?: null; blobMounted?: null; blobUnlinked?: null; manifestPushed?: null; manifestDeleted?: null; tagMoved?: null; tagDeleted?: null; repositorySettingsChanged?: null; contentErased?: null; organizationCreated?: null; projectCreated?: null; userCreated?: null; roleGranted?: null; roleRevoked?: null; organizationDescribed?: null; organizationDeleted?: null; projectDescribed?: null; projectDeleted?: null; userDisabled?: null; userEnabled?: null; userPasswordChanged?: null; userForgotten?: null; serviceAccountCreated?: null; serviceAccountDeleted?: null; serviceAccountKeyAdded?: null; serviceAccountKeyRevoked: artifactstore.events.ServiceAccountKeyRevoked.$Shape })
            );
        }

        /**
         * Properties of an Actor.
         * @deprecated Use artifactstore.events.Actor.$Properties instead.
         */
        interface IActor extends artifactstore.events.Actor.$Properties {
        }

        /** Represents an Actor. */
        class Actor {

            /**
             * Constructs a new Actor.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.Actor.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Actor uid. */
            uid: Uint8Array;

            /** Actor kind. */
            kind: artifactstore.events.Actor.Kind;

            /** Actor authentication. */
            authentication: artifactstore.events.Actor.Authentication;

            /** Actor key. */
            key: Uint8Array;

            /**
             * Encodes the specified Actor message. Does not implicitly {@link artifactstore.events.Actor.verify|verify} messages.
             * @param message Actor message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.Actor.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Actor message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.Actor & artifactstore.events.Actor.$Shape} Actor
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.Actor & artifactstore.events.Actor.$Shape;

            /**
             * Verifies an Actor message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace Actor {

            /** Properties of an Actor. */
            interface $Properties {

                /** Actor uid */
                uid?: (Uint8Array|null);

                /** Actor kind */
                kind?: (artifactstore.events.Actor.Kind|null);

                /** Actor authentication */
                authentication?: (artifactstore.events.Actor.Authentication|null);

                /** Actor key */
                key?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Actor. */
            type $Shape = artifactstore.events.Actor.$Properties;

            /** Kind enum. */
            enum Kind {

                /** KIND_UNSPECIFIED value */
                KIND_UNSPECIFIED = 0,

                /** SYSTEM value */
                SYSTEM = 1,

                /** ANONYMOUS value */
                ANONYMOUS = 2,

                /** USER value */
                USER = 3,

                /** SERVICE_ACCOUNT value */
                SERVICE_ACCOUNT = 4
            }

            /** Authentication enum. */
            enum Authentication {

                /** AUTHENTICATION_UNSPECIFIED value */
                AUTHENTICATION_UNSPECIFIED = 0,

                /** NONE value */
                NONE = 1,

                /** PASSWORD value */
                PASSWORD = 2,

                /** TOKEN value */
                TOKEN = 3,

                /** KEY value */
                KEY = 4
            }
        }

        /**
         * Properties of a RepositoryCreated.
         * @deprecated Use artifactstore.events.RepositoryCreated.$Properties instead.
         */
        interface IRepositoryCreated extends artifactstore.events.RepositoryCreated.$Properties {
        }

        /** Represents a RepositoryCreated. */
        class RepositoryCreated {

            /**
             * Constructs a new RepositoryCreated.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.RepositoryCreated.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RepositoryCreated project. */
            project: Uint8Array;

            /** RepositoryCreated id. */
            id: string;

            /**
             * Encodes the specified RepositoryCreated message. Does not implicitly {@link artifactstore.events.RepositoryCreated.verify|verify} messages.
             * @param message RepositoryCreated message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.RepositoryCreated.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RepositoryCreated message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.RepositoryCreated & artifactstore.events.RepositoryCreated.$Shape} RepositoryCreated
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.RepositoryCreated & artifactstore.events.RepositoryCreated.$Shape;

            /**
             * Verifies a RepositoryCreated message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace RepositoryCreated {

            /** Properties of a RepositoryCreated. */
            interface $Properties {

                /** RepositoryCreated project */
                project?: (Uint8Array|null);

                /** RepositoryCreated id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RepositoryCreated. */
            type $Shape = artifactstore.events.RepositoryCreated.$Properties;
        }

        /**
         * Properties of a RepositoryCreatedV2.
         * @deprecated Use artifactstore.events.RepositoryCreatedV2.$Properties instead.
         */
        interface IRepositoryCreatedV2 extends artifactstore.events.RepositoryCreatedV2.$Properties {
        }

        /** Represents a RepositoryCreatedV2. */
        class RepositoryCreatedV2 {

            /**
             * Constructs a new RepositoryCreatedV2.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.RepositoryCreatedV2.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RepositoryCreatedV2 project. */
            project: Uint8Array;

            /** RepositoryCreatedV2 projectId. */
            projectId: string;

            /** RepositoryCreatedV2 id. */
            id: string;

            /** RepositoryCreatedV2 origin. */
            origin: artifactstore.events.RepositoryCreatedV2.Origin;

            /** RepositoryCreatedV2 scanning. */
            scanning: boolean;

            /**
             * Encodes the specified RepositoryCreatedV2 message. Does not implicitly {@link artifactstore.events.RepositoryCreatedV2.verify|verify} messages.
             * @param message RepositoryCreatedV2 message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.RepositoryCreatedV2.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RepositoryCreatedV2 message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.RepositoryCreatedV2 & artifactstore.events.RepositoryCreatedV2.$Shape} RepositoryCreatedV2
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.RepositoryCreatedV2 & artifactstore.events.RepositoryCreatedV2.$Shape;

            /**
             * Verifies a RepositoryCreatedV2 message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace RepositoryCreatedV2 {

            /** Properties of a RepositoryCreatedV2. */
            interface $Properties {

                /** RepositoryCreatedV2 project */
                project?: (Uint8Array|null);

                /** RepositoryCreatedV2 projectId */
                projectId?: (string|null);

                /** RepositoryCreatedV2 id */
                id?: (string|null);

                /** RepositoryCreatedV2 origin */
                origin?: (artifactstore.events.RepositoryCreatedV2.Origin|null);

                /** RepositoryCreatedV2 scanning */
                scanning?: (boolean|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RepositoryCreatedV2. */
            type $Shape = artifactstore.events.RepositoryCreatedV2.$Properties;

            /** Origin enum. */
            enum Origin {

                /** ORIGIN_UNSPECIFIED value */
                ORIGIN_UNSPECIFIED = 0,

                /** COMMAND value */
                COMMAND = 1,

                /** PUSH value */
                PUSH = 2
            }
        }

        /**
         * Properties of a RepositoryDeletionBegun.
         * @deprecated Use artifactstore.events.RepositoryDeletionBegun.$Properties instead.
         */
        interface IRepositoryDeletionBegun extends artifactstore.events.RepositoryDeletionBegun.$Properties {
        }

        /** Represents a RepositoryDeletionBegun. */
        class RepositoryDeletionBegun {

            /**
             * Constructs a new RepositoryDeletionBegun.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.RepositoryDeletionBegun.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RepositoryDeletionBegun project. */
            project: Uint8Array;

            /** RepositoryDeletionBegun projectId. */
            projectId: string;

            /** RepositoryDeletionBegun id. */
            id: string;

            /**
             * Encodes the specified RepositoryDeletionBegun message. Does not implicitly {@link artifactstore.events.RepositoryDeletionBegun.verify|verify} messages.
             * @param message RepositoryDeletionBegun message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.RepositoryDeletionBegun.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RepositoryDeletionBegun message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.RepositoryDeletionBegun & artifactstore.events.RepositoryDeletionBegun.$Shape} RepositoryDeletionBegun
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.RepositoryDeletionBegun & artifactstore.events.RepositoryDeletionBegun.$Shape;

            /**
             * Verifies a RepositoryDeletionBegun message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace RepositoryDeletionBegun {

            /** Properties of a RepositoryDeletionBegun. */
            interface $Properties {

                /** RepositoryDeletionBegun project */
                project?: (Uint8Array|null);

                /** RepositoryDeletionBegun projectId */
                projectId?: (string|null);

                /** RepositoryDeletionBegun id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RepositoryDeletionBegun. */
            type $Shape = artifactstore.events.RepositoryDeletionBegun.$Properties;
        }

        /**
         * Properties of a RepositoryDeleted.
         * @deprecated Use artifactstore.events.RepositoryDeleted.$Properties instead.
         */
        interface IRepositoryDeleted extends artifactstore.events.RepositoryDeleted.$Properties {
        }

        /** Represents a RepositoryDeleted. */
        class RepositoryDeleted {

            /**
             * Constructs a new RepositoryDeleted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.RepositoryDeleted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RepositoryDeleted project. */
            project: Uint8Array;

            /** RepositoryDeleted projectId. */
            projectId: string;

            /** RepositoryDeleted id. */
            id: string;

            /**
             * Encodes the specified RepositoryDeleted message. Does not implicitly {@link artifactstore.events.RepositoryDeleted.verify|verify} messages.
             * @param message RepositoryDeleted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.RepositoryDeleted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RepositoryDeleted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.RepositoryDeleted & artifactstore.events.RepositoryDeleted.$Shape} RepositoryDeleted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.RepositoryDeleted & artifactstore.events.RepositoryDeleted.$Shape;

            /**
             * Verifies a RepositoryDeleted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace RepositoryDeleted {

            /** Properties of a RepositoryDeleted. */
            interface $Properties {

                /** RepositoryDeleted project */
                project?: (Uint8Array|null);

                /** RepositoryDeleted projectId */
                projectId?: (string|null);

                /** RepositoryDeleted id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RepositoryDeleted. */
            type $Shape = artifactstore.events.RepositoryDeleted.$Properties;
        }

        /**
         * Properties of a BlobStored.
         * @deprecated Use artifactstore.events.BlobStored.$Properties instead.
         */
        interface IBlobStored extends artifactstore.events.BlobStored.$Properties {
        }

        /** Represents a BlobStored. */
        class BlobStored {

            /**
             * Constructs a new BlobStored.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.BlobStored.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** BlobStored digest. */
            digest: string;

            /** BlobStored size. */
            size: (number|Long);

            /** BlobStored generation. */
            generation: Uint8Array;

            /**
             * Encodes the specified BlobStored message. Does not implicitly {@link artifactstore.events.BlobStored.verify|verify} messages.
             * @param message BlobStored message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.BlobStored.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BlobStored message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.BlobStored & artifactstore.events.BlobStored.$Shape} BlobStored
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.BlobStored & artifactstore.events.BlobStored.$Shape;

            /**
             * Verifies a BlobStored message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace BlobStored {

            /** Properties of a BlobStored. */
            interface $Properties {

                /** BlobStored digest */
                digest?: (string|null);

                /** BlobStored size */
                size?: (number|Long|null);

                /** BlobStored generation */
                generation?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a BlobStored. */
            type $Shape = artifactstore.events.BlobStored.$Properties;
        }

        /**
         * Properties of a BlobPushed.
         * @deprecated Use artifactstore.events.BlobPushed.$Properties instead.
         */
        interface IBlobPushed extends artifactstore.events.BlobPushed.$Properties {
        }

        /** Represents a BlobPushed. */
        class BlobPushed {

            /**
             * Constructs a new BlobPushed.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.BlobPushed.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** BlobPushed digest. */
            digest: string;

            /** BlobPushed size. */
            size: (number|Long);

            /**
             * Encodes the specified BlobPushed message. Does not implicitly {@link artifactstore.events.BlobPushed.verify|verify} messages.
             * @param message BlobPushed message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.BlobPushed.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BlobPushed message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.BlobPushed & artifactstore.events.BlobPushed.$Shape} BlobPushed
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.BlobPushed & artifactstore.events.BlobPushed.$Shape;

            /**
             * Verifies a BlobPushed message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace BlobPushed {

            /** Properties of a BlobPushed. */
            interface $Properties {

                /** BlobPushed digest */
                digest?: (string|null);

                /** BlobPushed size */
                size?: (number|Long|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a BlobPushed. */
            type $Shape = artifactstore.events.BlobPushed.$Properties;
        }

        /**
         * Properties of a BlobMounted.
         * @deprecated Use artifactstore.events.BlobMounted.$Properties instead.
         */
        interface IBlobMounted extends artifactstore.events.BlobMounted.$Properties {
        }

        /** Represents a BlobMounted. */
        class BlobMounted {

            /**
             * Constructs a new BlobMounted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.BlobMounted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** BlobMounted digest. */
            digest: string;

            /** BlobMounted size. */
            size: (number|Long);

            /** BlobMounted fromRepository. */
            fromRepository: Uint8Array;

            /**
             * Encodes the specified BlobMounted message. Does not implicitly {@link artifactstore.events.BlobMounted.verify|verify} messages.
             * @param message BlobMounted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.BlobMounted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BlobMounted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.BlobMounted & artifactstore.events.BlobMounted.$Shape} BlobMounted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.BlobMounted & artifactstore.events.BlobMounted.$Shape;

            /**
             * Verifies a BlobMounted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace BlobMounted {

            /** Properties of a BlobMounted. */
            interface $Properties {

                /** BlobMounted digest */
                digest?: (string|null);

                /** BlobMounted size */
                size?: (number|Long|null);

                /** BlobMounted fromRepository */
                fromRepository?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a BlobMounted. */
            type $Shape = artifactstore.events.BlobMounted.$Properties;
        }

        /**
         * Properties of a BlobUnlinked.
         * @deprecated Use artifactstore.events.BlobUnlinked.$Properties instead.
         */
        interface IBlobUnlinked extends artifactstore.events.BlobUnlinked.$Properties {
        }

        /** Represents a BlobUnlinked. */
        class BlobUnlinked {

            /**
             * Constructs a new BlobUnlinked.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.BlobUnlinked.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** BlobUnlinked digest. */
            digest: string;

            /**
             * Encodes the specified BlobUnlinked message. Does not implicitly {@link artifactstore.events.BlobUnlinked.verify|verify} messages.
             * @param message BlobUnlinked message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.BlobUnlinked.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BlobUnlinked message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.BlobUnlinked & artifactstore.events.BlobUnlinked.$Shape} BlobUnlinked
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.BlobUnlinked & artifactstore.events.BlobUnlinked.$Shape;

            /**
             * Verifies a BlobUnlinked message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace BlobUnlinked {

            /** Properties of a BlobUnlinked. */
            interface $Properties {

                /** BlobUnlinked digest */
                digest?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a BlobUnlinked. */
            type $Shape = artifactstore.events.BlobUnlinked.$Properties;
        }

        /**
         * Properties of a ManifestPushed.
         * @deprecated Use artifactstore.events.ManifestPushed.$Properties instead.
         */
        interface IManifestPushed extends artifactstore.events.ManifestPushed.$Properties {
        }

        /** Represents a ManifestPushed. */
        class ManifestPushed {

            /**
             * Constructs a new ManifestPushed.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ManifestPushed.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ManifestPushed image. */
            image: string;

            /** ManifestPushed digest. */
            digest: string;

            /** ManifestPushed mediaType. */
            mediaType: string;

            /** ManifestPushed size. */
            size: (number|Long);

            /** ManifestPushed artifactType. */
            artifactType: string;

            /** ManifestPushed subject. */
            subject: string;

            /** ManifestPushed config. */
            config: string;

            /** ManifestPushed layersSize. */
            layersSize: (number|Long);

            /**
             * Encodes the specified ManifestPushed message. Does not implicitly {@link artifactstore.events.ManifestPushed.verify|verify} messages.
             * @param message ManifestPushed message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ManifestPushed.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ManifestPushed message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ManifestPushed & artifactstore.events.ManifestPushed.$Shape} ManifestPushed
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ManifestPushed & artifactstore.events.ManifestPushed.$Shape;

            /**
             * Verifies a ManifestPushed message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ManifestPushed {

            /** Properties of a ManifestPushed. */
            interface $Properties {

                /** ManifestPushed image */
                image?: (string|null);

                /** ManifestPushed digest */
                digest?: (string|null);

                /** ManifestPushed mediaType */
                mediaType?: (string|null);

                /** ManifestPushed size */
                size?: (number|Long|null);

                /** ManifestPushed artifactType */
                artifactType?: (string|null);

                /** ManifestPushed subject */
                subject?: (string|null);

                /** ManifestPushed config */
                config?: (string|null);

                /** ManifestPushed layersSize */
                layersSize?: (number|Long|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ManifestPushed. */
            type $Shape = artifactstore.events.ManifestPushed.$Properties;
        }

        /**
         * Properties of a ManifestDeleted.
         * @deprecated Use artifactstore.events.ManifestDeleted.$Properties instead.
         */
        interface IManifestDeleted extends artifactstore.events.ManifestDeleted.$Properties {
        }

        /** Represents a ManifestDeleted. */
        class ManifestDeleted {

            /**
             * Constructs a new ManifestDeleted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ManifestDeleted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ManifestDeleted image. */
            image: string;

            /** ManifestDeleted digest. */
            digest: string;

            /**
             * Encodes the specified ManifestDeleted message. Does not implicitly {@link artifactstore.events.ManifestDeleted.verify|verify} messages.
             * @param message ManifestDeleted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ManifestDeleted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ManifestDeleted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ManifestDeleted & artifactstore.events.ManifestDeleted.$Shape} ManifestDeleted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ManifestDeleted & artifactstore.events.ManifestDeleted.$Shape;

            /**
             * Verifies a ManifestDeleted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ManifestDeleted {

            /** Properties of a ManifestDeleted. */
            interface $Properties {

                /** ManifestDeleted image */
                image?: (string|null);

                /** ManifestDeleted digest */
                digest?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ManifestDeleted. */
            type $Shape = artifactstore.events.ManifestDeleted.$Properties;
        }

        /**
         * Properties of a TagMoved.
         * @deprecated Use artifactstore.events.TagMoved.$Properties instead.
         */
        interface ITagMoved extends artifactstore.events.TagMoved.$Properties {
        }

        /** Represents a TagMoved. */
        class TagMoved {

            /**
             * Constructs a new TagMoved.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.TagMoved.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** TagMoved image. */
            image: string;

            /** TagMoved tag. */
            tag: string;

            /** TagMoved digest. */
            digest: string;

            /** TagMoved previous. */
            previous: string;

            /**
             * Encodes the specified TagMoved message. Does not implicitly {@link artifactstore.events.TagMoved.verify|verify} messages.
             * @param message TagMoved message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.TagMoved.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a TagMoved message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.TagMoved & artifactstore.events.TagMoved.$Shape} TagMoved
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.TagMoved & artifactstore.events.TagMoved.$Shape;

            /**
             * Verifies a TagMoved message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace TagMoved {

            /** Properties of a TagMoved. */
            interface $Properties {

                /** TagMoved image */
                image?: (string|null);

                /** TagMoved tag */
                tag?: (string|null);

                /** TagMoved digest */
                digest?: (string|null);

                /** TagMoved previous */
                previous?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a TagMoved. */
            type $Shape = artifactstore.events.TagMoved.$Properties;
        }

        /**
         * Properties of a TagDeleted.
         * @deprecated Use artifactstore.events.TagDeleted.$Properties instead.
         */
        interface ITagDeleted extends artifactstore.events.TagDeleted.$Properties {
        }

        /** Represents a TagDeleted. */
        class TagDeleted {

            /**
             * Constructs a new TagDeleted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.TagDeleted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** TagDeleted image. */
            image: string;

            /** TagDeleted tag. */
            tag: string;

            /** TagDeleted digest. */
            digest: string;

            /**
             * Encodes the specified TagDeleted message. Does not implicitly {@link artifactstore.events.TagDeleted.verify|verify} messages.
             * @param message TagDeleted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.TagDeleted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a TagDeleted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.TagDeleted & artifactstore.events.TagDeleted.$Shape} TagDeleted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.TagDeleted & artifactstore.events.TagDeleted.$Shape;

            /**
             * Verifies a TagDeleted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace TagDeleted {

            /** Properties of a TagDeleted. */
            interface $Properties {

                /** TagDeleted image */
                image?: (string|null);

                /** TagDeleted tag */
                tag?: (string|null);

                /** TagDeleted digest */
                digest?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a TagDeleted. */
            type $Shape = artifactstore.events.TagDeleted.$Properties;
        }

        /**
         * Properties of an OrganizationCreated.
         * @deprecated Use artifactstore.events.OrganizationCreated.$Properties instead.
         */
        interface IOrganizationCreated extends artifactstore.events.OrganizationCreated.$Properties {
        }

        /** Represents an OrganizationCreated. */
        class OrganizationCreated {

            /**
             * Constructs a new OrganizationCreated.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.OrganizationCreated.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** OrganizationCreated id. */
            id: string;

            /**
             * Encodes the specified OrganizationCreated message. Does not implicitly {@link artifactstore.events.OrganizationCreated.verify|verify} messages.
             * @param message OrganizationCreated message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.OrganizationCreated.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an OrganizationCreated message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.OrganizationCreated & artifactstore.events.OrganizationCreated.$Shape} OrganizationCreated
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.OrganizationCreated & artifactstore.events.OrganizationCreated.$Shape;

            /**
             * Verifies an OrganizationCreated message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace OrganizationCreated {

            /** Properties of an OrganizationCreated. */
            interface $Properties {

                /** OrganizationCreated id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an OrganizationCreated. */
            type $Shape = artifactstore.events.OrganizationCreated.$Properties;
        }

        /**
         * Properties of a ProjectCreated.
         * @deprecated Use artifactstore.events.ProjectCreated.$Properties instead.
         */
        interface IProjectCreated extends artifactstore.events.ProjectCreated.$Properties {
        }

        /** Represents a ProjectCreated. */
        class ProjectCreated {

            /**
             * Constructs a new ProjectCreated.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ProjectCreated.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProjectCreated organization. */
            organization: Uint8Array;

            /** ProjectCreated id. */
            id: string;

            /**
             * Encodes the specified ProjectCreated message. Does not implicitly {@link artifactstore.events.ProjectCreated.verify|verify} messages.
             * @param message ProjectCreated message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ProjectCreated.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProjectCreated message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ProjectCreated & artifactstore.events.ProjectCreated.$Shape} ProjectCreated
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ProjectCreated & artifactstore.events.ProjectCreated.$Shape;

            /**
             * Verifies a ProjectCreated message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ProjectCreated {

            /** Properties of a ProjectCreated. */
            interface $Properties {

                /** ProjectCreated organization */
                organization?: (Uint8Array|null);

                /** ProjectCreated id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProjectCreated. */
            type $Shape = artifactstore.events.ProjectCreated.$Properties;
        }

        /**
         * Properties of a UserCreated.
         * @deprecated Use artifactstore.events.UserCreated.$Properties instead.
         */
        interface IUserCreated extends artifactstore.events.UserCreated.$Properties {
        }

        /** Represents a UserCreated. */
        class UserCreated {

            /**
             * Constructs a new UserCreated.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.UserCreated.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** UserCreated nameHash. */
            nameHash: Uint8Array;

            /**
             * Encodes the specified UserCreated message. Does not implicitly {@link artifactstore.events.UserCreated.verify|verify} messages.
             * @param message UserCreated message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.UserCreated.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a UserCreated message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.UserCreated & artifactstore.events.UserCreated.$Shape} UserCreated
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.UserCreated & artifactstore.events.UserCreated.$Shape;

            /**
             * Verifies a UserCreated message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace UserCreated {

            /** Properties of a UserCreated. */
            interface $Properties {

                /** UserCreated nameHash */
                nameHash?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a UserCreated. */
            type $Shape = artifactstore.events.UserCreated.$Properties;
        }

        /** Role enum. */
        enum Role {

            /** ROLE_UNSPECIFIED value */
            ROLE_UNSPECIFIED = 0,

            /** VIEWER value */
            VIEWER = 1,

            /** EDITOR value */
            EDITOR = 2,

            /** OWNER value */
            OWNER = 3
        }

        /**
         * Properties of a Principal.
         * @deprecated Use artifactstore.events.Principal.$Properties instead.
         */
        interface IPrincipal extends artifactstore.events.Principal.$Properties {
        }

        /** Represents a Principal. */
        class Principal {

            /**
             * Constructs a new Principal.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.Principal.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Principal kind. */
            kind: artifactstore.events.Principal.Kind;

            /** Principal uid. */
            uid: Uint8Array;

            /**
             * Encodes the specified Principal message. Does not implicitly {@link artifactstore.events.Principal.verify|verify} messages.
             * @param message Principal message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.Principal.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Principal message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.Principal & artifactstore.events.Principal.$Shape} Principal
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.Principal & artifactstore.events.Principal.$Shape;

            /**
             * Verifies a Principal message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace Principal {

            /** Properties of a Principal. */
            interface $Properties {

                /** Principal kind */
                kind?: (artifactstore.events.Principal.Kind|null);

                /** Principal uid */
                uid?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Principal. */
            type $Shape = artifactstore.events.Principal.$Properties;

            /** Kind enum. */
            enum Kind {

                /** KIND_UNSPECIFIED value */
                KIND_UNSPECIFIED = 0,

                /** USER value */
                USER = 1,

                /** SERVICE_ACCOUNT value */
                SERVICE_ACCOUNT = 2,

                /** ALL_USERS value */
                ALL_USERS = 3,

                /** ALL_AUTHENTICATED_USERS value */
                ALL_AUTHENTICATED_USERS = 4
            }
        }

        /**
         * Properties of a RoleGranted.
         * @deprecated Use artifactstore.events.RoleGranted.$Properties instead.
         */
        interface IRoleGranted extends artifactstore.events.RoleGranted.$Properties {
        }

        /** Represents a RoleGranted. */
        class RoleGranted {

            /**
             * Constructs a new RoleGranted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.RoleGranted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RoleGranted principal. */
            principal?: (artifactstore.events.Principal.$Properties|null);

            /** RoleGranted role. */
            role: artifactstore.events.Role;

            /**
             * Encodes the specified RoleGranted message. Does not implicitly {@link artifactstore.events.RoleGranted.verify|verify} messages.
             * @param message RoleGranted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.RoleGranted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RoleGranted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.RoleGranted & artifactstore.events.RoleGranted.$Shape} RoleGranted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.RoleGranted & artifactstore.events.RoleGranted.$Shape;

            /**
             * Verifies a RoleGranted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace RoleGranted {

            /** Properties of a RoleGranted. */
            interface $Properties {

                /** RoleGranted principal */
                principal?: (artifactstore.events.Principal.$Properties|null);

                /** RoleGranted role */
                role?: (artifactstore.events.Role|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RoleGranted. */
            type $Shape = artifactstore.events.RoleGranted.$Properties;
        }

        /**
         * Properties of a RoleRevoked.
         * @deprecated Use artifactstore.events.RoleRevoked.$Properties instead.
         */
        interface IRoleRevoked extends artifactstore.events.RoleRevoked.$Properties {
        }

        /** Represents a RoleRevoked. */
        class RoleRevoked {

            /**
             * Constructs a new RoleRevoked.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.RoleRevoked.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RoleRevoked principal. */
            principal?: (artifactstore.events.Principal.$Properties|null);

            /** RoleRevoked role. */
            role: artifactstore.events.Role;

            /**
             * Encodes the specified RoleRevoked message. Does not implicitly {@link artifactstore.events.RoleRevoked.verify|verify} messages.
             * @param message RoleRevoked message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.RoleRevoked.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RoleRevoked message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.RoleRevoked & artifactstore.events.RoleRevoked.$Shape} RoleRevoked
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.RoleRevoked & artifactstore.events.RoleRevoked.$Shape;

            /**
             * Verifies a RoleRevoked message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace RoleRevoked {

            /** Properties of a RoleRevoked. */
            interface $Properties {

                /** RoleRevoked principal */
                principal?: (artifactstore.events.Principal.$Properties|null);

                /** RoleRevoked role */
                role?: (artifactstore.events.Role|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RoleRevoked. */
            type $Shape = artifactstore.events.RoleRevoked.$Properties;
        }

        /**
         * Properties of a RepositorySettingsChanged.
         * @deprecated Use artifactstore.events.RepositorySettingsChanged.$Properties instead.
         */
        interface IRepositorySettingsChanged extends artifactstore.events.RepositorySettingsChanged.$Properties {
        }

        /** Represents a RepositorySettingsChanged. */
        class RepositorySettingsChanged {

            /**
             * Constructs a new RepositorySettingsChanged.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.RepositorySettingsChanged.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RepositorySettingsChanged displayName. */
            displayName: string;

            /** RepositorySettingsChanged description. */
            description: string;

            /** RepositorySettingsChanged scanning. */
            scanning: boolean;

            /** RepositorySettingsChanged immutableTags. */
            immutableTags: boolean;

            /** RepositorySettingsChanged immutableTagExemptions. */
            immutableTagExemptions: string;

            /**
             * Encodes the specified RepositorySettingsChanged message. Does not implicitly {@link artifactstore.events.RepositorySettingsChanged.verify|verify} messages.
             * @param message RepositorySettingsChanged message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.RepositorySettingsChanged.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RepositorySettingsChanged message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.RepositorySettingsChanged & artifactstore.events.RepositorySettingsChanged.$Shape} RepositorySettingsChanged
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.RepositorySettingsChanged & artifactstore.events.RepositorySettingsChanged.$Shape;

            /**
             * Verifies a RepositorySettingsChanged message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace RepositorySettingsChanged {

            /** Properties of a RepositorySettingsChanged. */
            interface $Properties {

                /** RepositorySettingsChanged displayName */
                displayName?: (string|null);

                /** RepositorySettingsChanged description */
                description?: (string|null);

                /** RepositorySettingsChanged scanning */
                scanning?: (boolean|null);

                /** RepositorySettingsChanged immutableTags */
                immutableTags?: (boolean|null);

                /** RepositorySettingsChanged immutableTagExemptions */
                immutableTagExemptions?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RepositorySettingsChanged. */
            type $Shape = artifactstore.events.RepositorySettingsChanged.$Properties;
        }

        /**
         * Properties of a ContentErased.
         * @deprecated Use artifactstore.events.ContentErased.$Properties instead.
         */
        interface IContentErased extends artifactstore.events.ContentErased.$Properties {
        }

        /** Represents a ContentErased. */
        class ContentErased {

            /**
             * Constructs a new ContentErased.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ContentErased.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ContentErased digest. */
            digest: string;

            /**
             * Encodes the specified ContentErased message. Does not implicitly {@link artifactstore.events.ContentErased.verify|verify} messages.
             * @param message ContentErased message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ContentErased.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ContentErased message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ContentErased & artifactstore.events.ContentErased.$Shape} ContentErased
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ContentErased & artifactstore.events.ContentErased.$Shape;

            /**
             * Verifies a ContentErased message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ContentErased {

            /** Properties of a ContentErased. */
            interface $Properties {

                /** ContentErased digest */
                digest?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ContentErased. */
            type $Shape = artifactstore.events.ContentErased.$Properties;
        }

        /**
         * Properties of an OrganizationDescribed.
         * @deprecated Use artifactstore.events.OrganizationDescribed.$Properties instead.
         */
        interface IOrganizationDescribed extends artifactstore.events.OrganizationDescribed.$Properties {
        }

        /** Represents an OrganizationDescribed. */
        class OrganizationDescribed {

            /**
             * Constructs a new OrganizationDescribed.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.OrganizationDescribed.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** OrganizationDescribed displayName. */
            displayName: string;

            /** OrganizationDescribed description. */
            description: string;

            /**
             * Encodes the specified OrganizationDescribed message. Does not implicitly {@link artifactstore.events.OrganizationDescribed.verify|verify} messages.
             * @param message OrganizationDescribed message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.OrganizationDescribed.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an OrganizationDescribed message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.OrganizationDescribed & artifactstore.events.OrganizationDescribed.$Shape} OrganizationDescribed
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.OrganizationDescribed & artifactstore.events.OrganizationDescribed.$Shape;

            /**
             * Verifies an OrganizationDescribed message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace OrganizationDescribed {

            /** Properties of an OrganizationDescribed. */
            interface $Properties {

                /** OrganizationDescribed displayName */
                displayName?: (string|null);

                /** OrganizationDescribed description */
                description?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an OrganizationDescribed. */
            type $Shape = artifactstore.events.OrganizationDescribed.$Properties;
        }

        /**
         * Properties of an OrganizationDeleted.
         * @deprecated Use artifactstore.events.OrganizationDeleted.$Properties instead.
         */
        interface IOrganizationDeleted extends artifactstore.events.OrganizationDeleted.$Properties {
        }

        /** Represents an OrganizationDeleted. */
        class OrganizationDeleted {

            /**
             * Constructs a new OrganizationDeleted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.OrganizationDeleted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** OrganizationDeleted id. */
            id: string;

            /**
             * Encodes the specified OrganizationDeleted message. Does not implicitly {@link artifactstore.events.OrganizationDeleted.verify|verify} messages.
             * @param message OrganizationDeleted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.OrganizationDeleted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an OrganizationDeleted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.OrganizationDeleted & artifactstore.events.OrganizationDeleted.$Shape} OrganizationDeleted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.OrganizationDeleted & artifactstore.events.OrganizationDeleted.$Shape;

            /**
             * Verifies an OrganizationDeleted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace OrganizationDeleted {

            /** Properties of an OrganizationDeleted. */
            interface $Properties {

                /** OrganizationDeleted id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an OrganizationDeleted. */
            type $Shape = artifactstore.events.OrganizationDeleted.$Properties;
        }

        /**
         * Properties of a ProjectDescribed.
         * @deprecated Use artifactstore.events.ProjectDescribed.$Properties instead.
         */
        interface IProjectDescribed extends artifactstore.events.ProjectDescribed.$Properties {
        }

        /** Represents a ProjectDescribed. */
        class ProjectDescribed {

            /**
             * Constructs a new ProjectDescribed.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ProjectDescribed.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProjectDescribed displayName. */
            displayName: string;

            /** ProjectDescribed description. */
            description: string;

            /**
             * Encodes the specified ProjectDescribed message. Does not implicitly {@link artifactstore.events.ProjectDescribed.verify|verify} messages.
             * @param message ProjectDescribed message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ProjectDescribed.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProjectDescribed message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ProjectDescribed & artifactstore.events.ProjectDescribed.$Shape} ProjectDescribed
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ProjectDescribed & artifactstore.events.ProjectDescribed.$Shape;

            /**
             * Verifies a ProjectDescribed message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ProjectDescribed {

            /** Properties of a ProjectDescribed. */
            interface $Properties {

                /** ProjectDescribed displayName */
                displayName?: (string|null);

                /** ProjectDescribed description */
                description?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProjectDescribed. */
            type $Shape = artifactstore.events.ProjectDescribed.$Properties;
        }

        /**
         * Properties of a ProjectDeleted.
         * @deprecated Use artifactstore.events.ProjectDeleted.$Properties instead.
         */
        interface IProjectDeleted extends artifactstore.events.ProjectDeleted.$Properties {
        }

        /** Represents a ProjectDeleted. */
        class ProjectDeleted {

            /**
             * Constructs a new ProjectDeleted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ProjectDeleted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProjectDeleted organization. */
            organization: Uint8Array;

            /** ProjectDeleted id. */
            id: string;

            /**
             * Encodes the specified ProjectDeleted message. Does not implicitly {@link artifactstore.events.ProjectDeleted.verify|verify} messages.
             * @param message ProjectDeleted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ProjectDeleted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProjectDeleted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ProjectDeleted & artifactstore.events.ProjectDeleted.$Shape} ProjectDeleted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ProjectDeleted & artifactstore.events.ProjectDeleted.$Shape;

            /**
             * Verifies a ProjectDeleted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ProjectDeleted {

            /** Properties of a ProjectDeleted. */
            interface $Properties {

                /** ProjectDeleted organization */
                organization?: (Uint8Array|null);

                /** ProjectDeleted id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProjectDeleted. */
            type $Shape = artifactstore.events.ProjectDeleted.$Properties;
        }

        /**
         * Properties of a UserDisabled.
         * @deprecated Use artifactstore.events.UserDisabled.$Properties instead.
         */
        interface IUserDisabled extends artifactstore.events.UserDisabled.$Properties {
        }

        /** Represents a UserDisabled. */
        class UserDisabled {

            /**
             * Constructs a new UserDisabled.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.UserDisabled.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Encodes the specified UserDisabled message. Does not implicitly {@link artifactstore.events.UserDisabled.verify|verify} messages.
             * @param message UserDisabled message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.UserDisabled.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a UserDisabled message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.UserDisabled & artifactstore.events.UserDisabled.$Shape} UserDisabled
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.UserDisabled & artifactstore.events.UserDisabled.$Shape;

            /**
             * Verifies a UserDisabled message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace UserDisabled {

            /** Properties of a UserDisabled. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a UserDisabled. */
            type $Shape = artifactstore.events.UserDisabled.$Properties;
        }

        /**
         * Properties of a UserEnabled.
         * @deprecated Use artifactstore.events.UserEnabled.$Properties instead.
         */
        interface IUserEnabled extends artifactstore.events.UserEnabled.$Properties {
        }

        /** Represents a UserEnabled. */
        class UserEnabled {

            /**
             * Constructs a new UserEnabled.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.UserEnabled.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Encodes the specified UserEnabled message. Does not implicitly {@link artifactstore.events.UserEnabled.verify|verify} messages.
             * @param message UserEnabled message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.UserEnabled.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a UserEnabled message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.UserEnabled & artifactstore.events.UserEnabled.$Shape} UserEnabled
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.UserEnabled & artifactstore.events.UserEnabled.$Shape;

            /**
             * Verifies a UserEnabled message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace UserEnabled {

            /** Properties of a UserEnabled. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a UserEnabled. */
            type $Shape = artifactstore.events.UserEnabled.$Properties;
        }

        /**
         * Properties of a UserPasswordChanged.
         * @deprecated Use artifactstore.events.UserPasswordChanged.$Properties instead.
         */
        interface IUserPasswordChanged extends artifactstore.events.UserPasswordChanged.$Properties {
        }

        /** Represents a UserPasswordChanged. */
        class UserPasswordChanged {

            /**
             * Constructs a new UserPasswordChanged.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.UserPasswordChanged.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** UserPasswordChanged reset. */
            reset: boolean;

            /**
             * Encodes the specified UserPasswordChanged message. Does not implicitly {@link artifactstore.events.UserPasswordChanged.verify|verify} messages.
             * @param message UserPasswordChanged message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.UserPasswordChanged.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a UserPasswordChanged message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.UserPasswordChanged & artifactstore.events.UserPasswordChanged.$Shape} UserPasswordChanged
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.UserPasswordChanged & artifactstore.events.UserPasswordChanged.$Shape;

            /**
             * Verifies a UserPasswordChanged message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace UserPasswordChanged {

            /** Properties of a UserPasswordChanged. */
            interface $Properties {

                /** UserPasswordChanged reset */
                reset?: (boolean|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a UserPasswordChanged. */
            type $Shape = artifactstore.events.UserPasswordChanged.$Properties;
        }

        /**
         * Properties of a UserForgotten.
         * @deprecated Use artifactstore.events.UserForgotten.$Properties instead.
         */
        interface IUserForgotten extends artifactstore.events.UserForgotten.$Properties {
        }

        /** Represents a UserForgotten. */
        class UserForgotten {

            /**
             * Constructs a new UserForgotten.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.UserForgotten.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** UserForgotten nameHash. */
            nameHash: Uint8Array;

            /**
             * Encodes the specified UserForgotten message. Does not implicitly {@link artifactstore.events.UserForgotten.verify|verify} messages.
             * @param message UserForgotten message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.UserForgotten.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a UserForgotten message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.UserForgotten & artifactstore.events.UserForgotten.$Shape} UserForgotten
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.UserForgotten & artifactstore.events.UserForgotten.$Shape;

            /**
             * Verifies a UserForgotten message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace UserForgotten {

            /** Properties of a UserForgotten. */
            interface $Properties {

                /** UserForgotten nameHash */
                nameHash?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a UserForgotten. */
            type $Shape = artifactstore.events.UserForgotten.$Properties;
        }

        /**
         * Properties of a ServiceAccountCreated.
         * @deprecated Use artifactstore.events.ServiceAccountCreated.$Properties instead.
         */
        interface IServiceAccountCreated extends artifactstore.events.ServiceAccountCreated.$Properties {
        }

        /** Represents a ServiceAccountCreated. */
        class ServiceAccountCreated {

            /**
             * Constructs a new ServiceAccountCreated.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ServiceAccountCreated.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ServiceAccountCreated project. */
            project: Uint8Array;

            /** ServiceAccountCreated projectId. */
            projectId: string;

            /** ServiceAccountCreated id. */
            id: string;

            /** ServiceAccountCreated displayName. */
            displayName: string;

            /**
             * Encodes the specified ServiceAccountCreated message. Does not implicitly {@link artifactstore.events.ServiceAccountCreated.verify|verify} messages.
             * @param message ServiceAccountCreated message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ServiceAccountCreated.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ServiceAccountCreated message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ServiceAccountCreated & artifactstore.events.ServiceAccountCreated.$Shape} ServiceAccountCreated
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ServiceAccountCreated & artifactstore.events.ServiceAccountCreated.$Shape;

            /**
             * Verifies a ServiceAccountCreated message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ServiceAccountCreated {

            /** Properties of a ServiceAccountCreated. */
            interface $Properties {

                /** ServiceAccountCreated project */
                project?: (Uint8Array|null);

                /** ServiceAccountCreated projectId */
                projectId?: (string|null);

                /** ServiceAccountCreated id */
                id?: (string|null);

                /** ServiceAccountCreated displayName */
                displayName?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ServiceAccountCreated. */
            type $Shape = artifactstore.events.ServiceAccountCreated.$Properties;
        }

        /**
         * Properties of a ServiceAccountDeleted.
         * @deprecated Use artifactstore.events.ServiceAccountDeleted.$Properties instead.
         */
        interface IServiceAccountDeleted extends artifactstore.events.ServiceAccountDeleted.$Properties {
        }

        /** Represents a ServiceAccountDeleted. */
        class ServiceAccountDeleted {

            /**
             * Constructs a new ServiceAccountDeleted.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ServiceAccountDeleted.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ServiceAccountDeleted project. */
            project: Uint8Array;

            /** ServiceAccountDeleted projectId. */
            projectId: string;

            /** ServiceAccountDeleted id. */
            id: string;

            /**
             * Encodes the specified ServiceAccountDeleted message. Does not implicitly {@link artifactstore.events.ServiceAccountDeleted.verify|verify} messages.
             * @param message ServiceAccountDeleted message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ServiceAccountDeleted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ServiceAccountDeleted message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ServiceAccountDeleted & artifactstore.events.ServiceAccountDeleted.$Shape} ServiceAccountDeleted
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ServiceAccountDeleted & artifactstore.events.ServiceAccountDeleted.$Shape;

            /**
             * Verifies a ServiceAccountDeleted message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ServiceAccountDeleted {

            /** Properties of a ServiceAccountDeleted. */
            interface $Properties {

                /** ServiceAccountDeleted project */
                project?: (Uint8Array|null);

                /** ServiceAccountDeleted projectId */
                projectId?: (string|null);

                /** ServiceAccountDeleted id */
                id?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ServiceAccountDeleted. */
            type $Shape = artifactstore.events.ServiceAccountDeleted.$Properties;
        }

        /**
         * Properties of a ServiceAccountKeyAdded.
         * @deprecated Use artifactstore.events.ServiceAccountKeyAdded.$Properties instead.
         */
        interface IServiceAccountKeyAdded extends artifactstore.events.ServiceAccountKeyAdded.$Properties {
        }

        /** Represents a ServiceAccountKeyAdded. */
        class ServiceAccountKeyAdded {

            /**
             * Constructs a new ServiceAccountKeyAdded.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ServiceAccountKeyAdded.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ServiceAccountKeyAdded key. */
            key: Uint8Array;

            /** ServiceAccountKeyAdded publicKey. */
            publicKey: Uint8Array;

            /** ServiceAccountKeyAdded expiresAt. */
            expiresAt: (number|Long);

            /**
             * Encodes the specified ServiceAccountKeyAdded message. Does not implicitly {@link artifactstore.events.ServiceAccountKeyAdded.verify|verify} messages.
             * @param message ServiceAccountKeyAdded message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ServiceAccountKeyAdded.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ServiceAccountKeyAdded message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ServiceAccountKeyAdded & artifactstore.events.ServiceAccountKeyAdded.$Shape} ServiceAccountKeyAdded
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ServiceAccountKeyAdded & artifactstore.events.ServiceAccountKeyAdded.$Shape;

            /**
             * Verifies a ServiceAccountKeyAdded message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ServiceAccountKeyAdded {

            /** Properties of a ServiceAccountKeyAdded. */
            interface $Properties {

                /** ServiceAccountKeyAdded key */
                key?: (Uint8Array|null);

                /** ServiceAccountKeyAdded publicKey */
                publicKey?: (Uint8Array|null);

                /** ServiceAccountKeyAdded expiresAt */
                expiresAt?: (number|Long|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ServiceAccountKeyAdded. */
            type $Shape = artifactstore.events.ServiceAccountKeyAdded.$Properties;
        }

        /**
         * Properties of a ServiceAccountKeyRevoked.
         * @deprecated Use artifactstore.events.ServiceAccountKeyRevoked.$Properties instead.
         */
        interface IServiceAccountKeyRevoked extends artifactstore.events.ServiceAccountKeyRevoked.$Properties {
        }

        /** Represents a ServiceAccountKeyRevoked. */
        class ServiceAccountKeyRevoked {

            /**
             * Constructs a new ServiceAccountKeyRevoked.
             * @param [properties] Properties to set
             */
            constructor(properties?: artifactstore.events.ServiceAccountKeyRevoked.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ServiceAccountKeyRevoked key. */
            key: Uint8Array;

            /**
             * Encodes the specified ServiceAccountKeyRevoked message. Does not implicitly {@link artifactstore.events.ServiceAccountKeyRevoked.verify|verify} messages.
             * @param message ServiceAccountKeyRevoked message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: artifactstore.events.ServiceAccountKeyRevoked.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ServiceAccountKeyRevoked message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {artifactstore.events.ServiceAccountKeyRevoked & artifactstore.events.ServiceAccountKeyRevoked.$Shape} ServiceAccountKeyRevoked
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): artifactstore.events.ServiceAccountKeyRevoked & artifactstore.events.ServiceAccountKeyRevoked.$Shape;

            /**
             * Verifies a ServiceAccountKeyRevoked message.
             * @param message Plain object to verify
             * @returns `null` if valid, otherwise the reason why it is not
             */
            static verify(message: { [k: string]: any }): (string|null);
        }

        namespace ServiceAccountKeyRevoked {

            /** Properties of a ServiceAccountKeyRevoked. */
            interface $Properties {

                /** ServiceAccountKeyRevoked key */
                key?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ServiceAccountKeyRevoked. */
            type $Shape = artifactstore.events.ServiceAccountKeyRevoked.$Properties;
        }
    }
}
