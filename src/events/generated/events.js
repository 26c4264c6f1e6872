// Generated from events.proto by scripts/generate-events.js (npm run generate): do not edit.
/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

const $root = $protobuf.roots["default"] || ($protobuf.roots["default"] = {});

export const artifactstore = $root.artifactstore = (() => {

    const artifactstore = {};

    artifactstore.events = (function() {

        const events = {};

        events.Event = (function() {

            const Event = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Event.prototype.id = $util.newBuffer([]);
            Event.prototype.stream = "";
            Event.prototype.occurredAt = $util.Long ? $util.Long.fromBits(0,0,false) : 0;
            Event.prototype.actor = null;
            Event.prototype.requestId = $util.newBuffer([]);
            Event.prototype.commandId = $util.newBuffer([]);
            Event.prototype.correlationId = $util.newBuffer([]);
            Event.prototype.causationId = $util.newBuffer([]);
            Event.prototype.clientHash = $util.newBuffer([]);
            Event.prototype.checksum = 0;
            Event.prototype.repositoryCreated = null;
            Event.prototype.repositoryCreatedV2 = null;
            Event.prototype.repositoryDeletionBegun = null;
            Event.prototype.repositoryDeleted = null;
            Event.prototype.blobStored = null;
            Event.prototype.blobPushed = null;
            Event.prototype.blobMounted = null;
            Event.prototype.blobUnlinked = null;
            Event.prototype.manifestPushed = null;
            Event.prototype.manifestDeleted = null;
            Event.prototype.tagMoved = null;
            Event.prototype.tagDeleted = null;
            Event.prototype.repositorySettingsChanged = null;
            Event.prototype.contentErased = null;
            Event.prototype.organizationCreated = null;
            Event.prototype.projectCreated = null;
            Event.prototype.userCreated = null;
            Event.prototype.roleGranted = null;
            Event.prototype.roleRevoked = null;
            Event.prototype.organizationDescribed = null;
            Event.prototype.organizationDeleted = null;
            Event.prototype.projectDescribed = null;
            Event.prototype.projectDeleted = null;
            Event.prototype.userDisabled = null;
            Event.prototype.userEnabled = null;
            Event.prototype.userPasswordChanged = null;
            Event.prototype.userForgotten = null;
            Event.prototype.serviceAccountCreated = null;
            Event.prototype.serviceAccountDeleted = null;
            Event.prototype.serviceAccountKeyAdded = null;
            Event.prototype.serviceAccountKeyRevoked = null;

            Event.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id.length)
                    writer.uint32(10).bytes(message.id);
                if (message.stream != null && $Object.hasOwnProperty.call(message, "stream") && message.stream !== "")
                    writer.uint32(18).string(message.stream);
                if (message.occurredAt != null && $Object.hasOwnProperty.call(message, "occurredAt") && (typeof message.occurredAt === "object" ? message.occurredAt.low || message.occurredAt.high : message.occurredAt !== 0))
                    writer.uint32(24).int64(message.occurredAt);
                if (message.actor != null && $Object.hasOwnProperty.call(message, "actor"))
                    $root.artifactstore.events.Actor.encode(message.actor, writer.uint32(34).fork(), _depth + 1).ldelim();
                if (message.requestId != null && $Object.hasOwnProperty.call(message, "requestId") && message.requestId.length)
                    writer.uint32(42).bytes(message.requestId);
                if (message.commandId != null && $Object.hasOwnProperty.call(message, "commandId") && message.commandId.length)
                    writer.uint32(50).bytes(message.commandId);
                if (message.correlationId != null && $Object.hasOwnProperty.call(message, "correlationId") && message.correlationId.length)
                    writer.uint32(58).bytes(message.correlationId);
                if (message.causationId != null && $Object.hasOwnProperty.call(message, "causationId") && message.causationId.length)
                    writer.uint32(66).bytes(message.causationId);
                if (message.clientHash != null && $Object.hasOwnProperty.call(message, "clientHash") && message.clientHash.length)
                    writer.uint32(74).bytes(message.clientHash);
                if (message.checksum != null && $Object.hasOwnProperty.call(message, "checksum") && message.checksum !== 0)
                    writer.uint32(85).fixed32(message.checksum);
                if (message.repositoryCreated != null && $Object.hasOwnProperty.call(message, "repositoryCreated"))
                    $root.artifactstore.events.RepositoryCreated.encode(message.repositoryCreated, writer.uint32(130).fork(), _depth + 1).ldelim();
                if (message.repositoryCreatedV2 != null && $Object.hasOwnProperty.call(message, "repositoryCreatedV2"))
                    $root.artifactstore.events.RepositoryCreatedV2.encode(message.repositoryCreatedV2, writer.uint32(138).fork(), _depth + 1).ldelim();
                if (message.repositoryDeletionBegun != null && $Object.hasOwnProperty.call(message, "repositoryDeletionBegun"))
                    $root.artifactstore.events.RepositoryDeletionBegun.encode(message.repositoryDeletionBegun, writer.uint32(146).fork(), _depth + 1).ldelim();
                if (message.repositoryDeleted != null && $Object.hasOwnProperty.call(message, "repositoryDeleted"))
                    $root.artifactstore.events.RepositoryDeleted.encode(message.repositoryDeleted, writer.uint32(154).fork(), _depth + 1).ldelim();
                if (message.blobStored != null && $Object.hasOwnProperty.call(message, "blobStored"))
                    $root.artifactstore.events.BlobStored.encode(message.blobStored, writer.uint32(162).fork(), _depth + 1).ldelim();
                if (message.blobPushed != null && $Object.hasOwnProperty.call(message, "blobPushed"))
                    $root.artifactstore.events.BlobPushed.encode(message.blobPushed, writer.uint32(170).fork(), _depth + 1).ldelim();
                if (message.blobMounted != null && $Object.hasOwnProperty.call(message, "blobMounted"))
                    $root.artifactstore.events.BlobMounted.encode(message.blobMounted, writer.uint32(178).fork(), _depth + 1).ldelim();
                if (message.blobUnlinked != null && $Object.hasOwnProperty.call(message, "blobUnlinked"))
                    $root.artifactstore.events.BlobUnlinked.encode(message.blobUnlinked, writer.uint32(186).fork(), _depth + 1).ldelim();
                if (message.manifestPushed != null && $Object.hasOwnProperty.call(message, "manifestPushed"))
                    $root.artifactstore.events.ManifestPushed.encode(message.manifestPushed, writer.uint32(194).fork(), _depth + 1).ldelim();
                if (message.manifestDeleted != null && $Object.hasOwnProperty.call(message, "manifestDeleted"))
                    $root.artifactstore.events.ManifestDeleted.encode(message.manifestDeleted, writer.uint32(202).fork(), _depth + 1).ldelim();
                if (message.tagMoved != null && $Object.hasOwnProperty.call(message, "tagMoved"))
                    $root.artifactstore.events.TagMoved.encode(message.tagMoved, writer.uint32(210).fork(), _depth + 1).ldelim();
                if (message.tagDeleted != null && $Object.hasOwnProperty.call(message, "tagDeleted"))
                    $root.artifactstore.events.TagDeleted.encode(message.tagDeleted, writer.uint32(218).fork(), _depth + 1).ldelim();
                if (message.repositorySettingsChanged != null && $Object.hasOwnProperty.call(message, "repositorySettingsChanged"))
                    $root.artifactstore.events.RepositorySettingsChanged.encode(message.repositorySettingsChanged, writer.uint32(226).fork(), _depth + 1).ldelim();
                if (message.contentErased != null && $Object.hasOwnProperty.call(message, "contentErased"))
                    $root.artifactstore.events.ContentErased.encode(message.contentErased, writer.uint32(234).fork(), _depth + 1).ldelim();
                if (message.organizationCreated != null && $Object.hasOwnProperty.call(message, "organizationCreated"))
                    $root.artifactstore.events.OrganizationCreated.encode(message.organizationCreated, writer.uint32(514).fork(), _depth + 1).ldelim();
                if (message.projectCreated != null && $Object.hasOwnProperty.call(message, "projectCreated"))
                    $root.artifactstore.events.ProjectCreated.encode(message.projectCreated, writer.uint32(522).fork(), _depth + 1).ldelim();
                if (message.userCreated != null && $Object.hasOwnProperty.call(message, "userCreated"))
                    $root.artifactstore.events.UserCreated.encode(message.userCreated, writer.uint32(530).fork(), _depth + 1).ldelim();
                if (message.roleGranted != null && $Object.hasOwnProperty.call(message, "roleGranted"))
                    $root.artifactstore.events.RoleGranted.encode(message.roleGranted, writer.uint32(538).fork(), _depth + 1).ldelim();
                if (message.roleRevoked != null && $Object.hasOwnProperty.call(message, "roleRevoked"))
                    $root.artifactstore.events.RoleRevoked.encode(message.roleRevoked, writer.uint32(546).fork(), _depth + 1).ldelim();
                if (message.organizationDescribed != null && $Object.hasOwnProperty.call(message, "organizationDescribed"))
                    $root.artifactstore.events.OrganizationDescribed.encode(message.organizationDescribed, writer.uint32(554).fork(), _depth + 1).ldelim();
                if (message.organizationDeleted != null && $Object.hasOwnProperty.call(message, "organizationDeleted"))
                    $root.artifactstore.events.OrganizationDeleted.encode(message.organizationDeleted, writer.uint32(562).fork(), _depth + 1).ldelim();
                if (message.projectDescribed != null && $Object.hasOwnProperty.call(message, "projectDescribed"))
                    $root.artifactstore.events.ProjectDescribed.encode(message.projectDescribed, writer.uint32(570).fork(), _depth + 1).ldelim();
                if (message.projectDeleted != null && $Object.hasOwnProperty.call(message, "projectDeleted"))
                    $root.artifactstore.events.ProjectDeleted.encode(message.projectDeleted, writer.uint32(578).fork(), _depth + 1).ldelim();
                if (message.userDisabled != null && $Object.hasOwnProperty.call(message, "userDisabled"))
                    $root.artifactstore.events.UserDisabled.encode(message.userDisabled, writer.uint32(586).fork(), _depth + 1).ldelim();
                if (message.userEnabled != null && $Object.hasOwnProperty.call(message, "userEnabled"))
                    $root.artifactstore.events.UserEnabled.encode(message.userEnabled, writer.uint32(594).fork(), _depth + 1).ldelim();
                if (message.userPasswordChanged != null && $Object.hasOwnProperty.call(message, "userPasswordChanged"))
                    $root.artifactstore.events.UserPasswordChanged.encode(message.userPasswordChanged, writer.uint32(602).fork(), _depth + 1).ldelim();
                if (message.userForgotten != null && $Object.hasOwnProperty.call(message, "userForgotten"))
                    $root.artifactstore.events.UserForgotten.encode(message.userForgotten, writer.uint32(610).fork(), _depth + 1).ldelim();
                if (message.serviceAccountCreated != null && $Object.hasOwnProperty.call(message, "serviceAccountCreated"))
                    $root.artifactstore.events.ServiceAccountCreated.encode(message.serviceAccountCreated, writer.uint32(618).fork(), _depth + 1).ldelim();
                if (message.serviceAccountDeleted != null && $Object.hasOwnProperty.call(message, "serviceAccountDeleted"))
                    $root.artifactstore.events.ServiceAccountDeleted.encode(message.serviceAccountDeleted, writer.uint32(626).fork(), _depth + 1).ldelim();
                if (message.serviceAccountKeyAdded != null && $Object.hasOwnProperty.call(message, "serviceAccountKeyAdded"))
                    $root.artifactstore.events.ServiceAccountKeyAdded.encode(message.serviceAccountKeyAdded, writer.uint32(634).fork(), _depth + 1).ldelim();
                if (message.serviceAccountKeyRevoked != null && $Object.hasOwnProperty.call(message, "serviceAccountKeyRevoked"))
                    $root.artifactstore.events.ServiceAccountKeyRevoked.encode(message.serviceAccountKeyRevoked, writer.uint32(642).fork(), _depth + 1).ldelim();
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Event.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.Event();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.stream = value;
                            else
                                delete message.stream;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.int64()) === "object" ? value.low || value.high : value !== 0)
                                message.occurredAt = value;
                            else
                                delete message.occurredAt;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            message.actor = $root.artifactstore.events.Actor.decode(reader, reader.size(), $undefined, _depth + 1, message.actor);
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.requestId = value;
                            else
                                delete message.requestId;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.commandId = value;
                            else
                                delete message.commandId;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.correlationId = value;
                            else
                                delete message.correlationId;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.causationId = value;
                            else
                                delete message.causationId;
                            continue;
                        }
                    case 9: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.clientHash = value;
                            else
                                delete message.clientHash;
                            continue;
                        }
                    case 10: {
                            if (wireType !== 5)
                                break;
                            throw $Error("a checksum is not the first field");
                        }
                    case 16: {
                            if (wireType !== 2)
                                break;
                            message.repositoryCreated = $root.artifactstore.events.RepositoryCreated.decode(reader, reader.size(), $undefined, _depth + 1, message.repositoryCreated);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "repositoryCreated";
                            continue;
                        }
                    case 17: {
                            if (wireType !== 2)
                                break;
                            message.repositoryCreatedV2 = $root.artifactstore.events.RepositoryCreatedV2.decode(reader, reader.size(), $undefined, _depth + 1, message.repositoryCreatedV2);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "repositoryCreatedV2";
                            continue;
                        }
                    case 18: {
                            if (wireType !== 2)
                                break;
                            message.repositoryDeletionBegun = $root.artifactstore.events.RepositoryDeletionBegun.decode(reader, reader.size(), $undefined, _depth + 1, message.repositoryDeletionBegun);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "repositoryDeletionBegun";
                            continue;
                        }
                    case 19: {
                            if (wireType !== 2)
                                break;
                            message.repositoryDeleted = $root.artifactstore.events.RepositoryDeleted.decode(reader, reader.size(), $undefined, _depth + 1, message.repositoryDeleted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "repositoryDeleted";
                            continue;
                        }
                    case 20: {
                            if (wireType !== 2)
                                break;
                            message.blobStored = $root.artifactstore.events.BlobStored.decode(reader, reader.size(), $undefined, _depth + 1, message.blobStored);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "blobStored";
                            continue;
                        }
                    case 21: {
                            if (wireType !== 2)
                                break;
                            message.blobPushed = $root.artifactstore.events.BlobPushed.decode(reader, reader.size(), $undefined, _depth + 1, message.blobPushed);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "blobPushed";
                            continue;
                        }
                    case 22: {
                            if (wireType !== 2)
                                break;
                            message.blobMounted = $root.artifactstore.events.BlobMounted.decode(reader, reader.size(), $undefined, _depth + 1, message.blobMounted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "blobMounted";
                            continue;
                        }
                    case 23: {
                            if (wireType !== 2)
                                break;
                            message.blobUnlinked = $root.artifactstore.events.BlobUnlinked.decode(reader, reader.size(), $undefined, _depth + 1, message.blobUnlinked);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "blobUnlinked";
                            continue;
                        }
                    case 24: {
                            if (wireType !== 2)
                                break;
                            message.manifestPushed = $root.artifactstore.events.ManifestPushed.decode(reader, reader.size(), $undefined, _depth + 1, message.manifestPushed);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "manifestPushed";
                            continue;
                        }
                    case 25: {
                            if (wireType !== 2)
                                break;
                            message.manifestDeleted = $root.artifactstore.events.ManifestDeleted.decode(reader, reader.size(), $undefined, _depth + 1, message.manifestDeleted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "manifestDeleted";
                            continue;
                        }
                    case 26: {
                            if (wireType !== 2)
                                break;
                            message.tagMoved = $root.artifactstore.events.TagMoved.decode(reader, reader.size(), $undefined, _depth + 1, message.tagMoved);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "tagMoved";
                            continue;
                        }
                    case 27: {
                            if (wireType !== 2)
                                break;
                            message.tagDeleted = $root.artifactstore.events.TagDeleted.decode(reader, reader.size(), $undefined, _depth + 1, message.tagDeleted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "tagDeleted";
                            continue;
                        }
                    case 28: {
                            if (wireType !== 2)
                                break;
                            message.repositorySettingsChanged = $root.artifactstore.events.RepositorySettingsChanged.decode(reader, reader.size(), $undefined, _depth + 1, message.repositorySettingsChanged);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "repositorySettingsChanged";
                            continue;
                        }
                    case 29: {
                            if (wireType !== 2)
                                break;
                            message.contentErased = $root.artifactstore.events.ContentErased.decode(reader, reader.size(), $undefined, _depth + 1, message.contentErased);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "contentErased";
                            continue;
                        }
                    case 64: {
                            if (wireType !== 2)
                                break;
                            message.organizationCreated = $root.artifactstore.events.OrganizationCreated.decode(reader, reader.size(), $undefined, _depth + 1, message.organizationCreated);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "organizationCreated";
                            continue;
                        }
                    case 65: {
                            if (wireType !== 2)
                                break;
                            message.projectCreated = $root.artifactstore.events.ProjectCreated.decode(reader, reader.size(), $undefined, _depth + 1, message.projectCreated);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "projectCreated";
                            continue;
                        }
                    case 66: {
                            if (wireType !== 2)
                                break;
                            message.userCreated = $root.artifactstore.events.UserCreated.decode(reader, reader.size(), $undefined, _depth + 1, message.userCreated);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "userCreated";
                            continue;
                        }
                    case 67: {
                            if (wireType !== 2)
                                break;
                            message.roleGranted = $root.artifactstore.events.RoleGranted.decode(reader, reader.size(), $undefined, _depth + 1, message.roleGranted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "roleGranted";
                            continue;
                        }
                    case 68: {
                            if (wireType !== 2)
                                break;
                            message.roleRevoked = $root.artifactstore.events.RoleRevoked.decode(reader, reader.size(), $undefined, _depth + 1, message.roleRevoked);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "roleRevoked";
                            continue;
                        }
                    case 69: {
                            if (wireType !== 2)
                                break;
                            message.organizationDescribed = $root.artifactstore.events.OrganizationDescribed.decode(reader, reader.size(), $undefined, _depth + 1, message.organizationDescribed);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "organizationDescribed";
                            continue;
                        }
                    case 70: {
                            if (wireType !== 2)
                                break;
                            message.organizationDeleted = $root.artifactstore.events.OrganizationDeleted.decode(reader, reader.size(), $undefined, _depth + 1, message.organizationDeleted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "organizationDeleted";
                            continue;
                        }
                    case 71: {
                            if (wireType !== 2)
                                break;
                            message.projectDescribed = $root.artifactstore.events.ProjectDescribed.decode(reader, reader.size(), $undefined, _depth + 1, message.projectDescribed);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "projectDescribed";
                            continue;
                        }
                    case 72: {
                            if (wireType !== 2)
                                break;
                            message.projectDeleted = $root.artifactstore.events.ProjectDeleted.decode(reader, reader.size(), $undefined, _depth + 1, message.projectDeleted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "projectDeleted";
                            continue;
                        }
                    case 73: {
                            if (wireType !== 2)
                                break;
                            message.userDisabled = $root.artifactstore.events.UserDisabled.decode(reader, reader.size(), $undefined, _depth + 1, message.userDisabled);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "userDisabled";
                            continue;
                        }
                    case 74: {
                            if (wireType !== 2)
                                break;
                            message.userEnabled = $root.artifactstore.events.UserEnabled.decode(reader, reader.size(), $undefined, _depth + 1, message.userEnabled);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "userEnabled";
                            continue;
                        }
                    case 75: {
                            if (wireType !== 2)
                                break;
                            message.userPasswordChanged = $root.artifactstore.events.UserPasswordChanged.decode(reader, reader.size(), $undefined, _depth + 1, message.userPasswordChanged);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "userPasswordChanged";
                            continue;
                        }
                    case 76: {
                            if (wireType !== 2)
                                break;
                            message.userForgotten = $root.artifactstore.events.UserForgotten.decode(reader, reader.size(), $undefined, _depth + 1, message.userForgotten);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "userForgotten";
                            continue;
                        }
                    case 77: {
                            if (wireType !== 2)
                                break;
                            message.serviceAccountCreated = $root.artifactstore.events.ServiceAccountCreated.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceAccountCreated);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "serviceAccountCreated";
                            continue;
                        }
                    case 78: {
                            if (wireType !== 2)
                                break;
                            message.serviceAccountDeleted = $root.artifactstore.events.ServiceAccountDeleted.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceAccountDeleted);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "serviceAccountDeleted";
                            continue;
                        }
                    case 79: {
                            if (wireType !== 2)
                                break;
                            message.serviceAccountKeyAdded = $root.artifactstore.events.ServiceAccountKeyAdded.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceAccountKeyAdded);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "serviceAccountKeyAdded";
                            continue;
                        }
                    case 80: {
                            if (wireType !== 2)
                                break;
                            message.serviceAccountKeyRevoked = $root.artifactstore.events.ServiceAccountKeyRevoked.decode(reader, reader.size(), $undefined, _depth + 1, message.serviceAccountKeyRevoked);
                    if (message.payload !== $undefined)
                        throw $Error("there are two payloads");
                            message.payload = "serviceAccountKeyRevoked";
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Event.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                let properties = {};
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!(message.id && typeof message.id.length === "number" || $util.isString(message.id)))
                        return "id: buffer expected";
                if (message.stream != null && $Object.hasOwnProperty.call(message, "stream"))
                    if (!$util.isString(message.stream))
                        return "stream: string expected";
                if (message.occurredAt != null && $Object.hasOwnProperty.call(message, "occurredAt"))
                    if (!$util.isInteger(message.occurredAt) && !(message.occurredAt && $util.isInteger(message.occurredAt.low) && $util.isInteger(message.occurredAt.high)))
                        return "occurredAt: integer|Long expected";
                if (message.actor != null && $Object.hasOwnProperty.call(message, "actor")) {
                    let error = $root.artifactstore.events.Actor.verify(message.actor, _depth + 1);
                    if (error)
                        return "actor." + error;
                }
                if (message.requestId != null && $Object.hasOwnProperty.call(message, "requestId"))
                    if (!(message.requestId && typeof message.requestId.length === "number" || $util.isString(message.requestId)))
                        return "requestId: buffer expected";
                if (message.commandId != null && $Object.hasOwnProperty.call(message, "commandId"))
                    if (!(message.commandId && typeof message.commandId.length === "number" || $util.isString(message.commandId)))
                        return "commandId: buffer expected";
                if (message.correlationId != null && $Object.hasOwnProperty.call(message, "correlationId"))
                    if (!(message.correlationId && typeof message.correlationId.length === "number" || $util.isString(message.correlationId)))
                        return "correlationId: buffer expected";
                if (message.causationId != null && $Object.hasOwnProperty.call(message, "causationId"))
                    if (!(message.causationId && typeof message.causationId.length === "number" || $util.isString(message.causationId)))
                        return "causationId: buffer expected";
                if (message.clientHash != null && $Object.hasOwnProperty.call(message, "clientHash"))
                    if (!(message.clientHash && typeof message.clientHash.length === "number" || $util.isString(message.clientHash)))
                        return "clientHash: buffer expected";
                if (message.checksum != null && $Object.hasOwnProperty.call(message, "checksum"))
                    if (!$util.isInteger(message.checksum))
                        return "checksum: integer expected";
                if (message.repositoryCreated != null && $Object.hasOwnProperty.call(message, "repositoryCreated")) {
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.RepositoryCreated.verify(message.repositoryCreated, _depth + 1);
                        if (error)
                            return "repositoryCreated." + error;
                    }
                }
                if (message.repositoryCreatedV2 != null && $Object.hasOwnProperty.call(message, "repositoryCreatedV2")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.RepositoryCreatedV2.verify(message.repositoryCreatedV2, _depth + 1);
                        if (error)
                            return "repositoryCreatedV2." + error;
                    }
                }
                if (message.repositoryDeletionBegun != null && $Object.hasOwnProperty.call(message, "repositoryDeletionBegun")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.RepositoryDeletionBegun.verify(message.repositoryDeletionBegun, _depth + 1);
                        if (error)
                            return "repositoryDeletionBegun." + error;
                    }
                }
                if (message.repositoryDeleted != null && $Object.hasOwnProperty.call(message, "repositoryDeleted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.RepositoryDeleted.verify(message.repositoryDeleted, _depth + 1);
                        if (error)
                            return "repositoryDeleted." + error;
                    }
                }
                if (message.blobStored != null && $Object.hasOwnProperty.call(message, "blobStored")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.BlobStored.verify(message.blobStored, _depth + 1);
                        if (error)
                            return "blobStored." + error;
                    }
                }
                if (message.blobPushed != null && $Object.hasOwnProperty.call(message, "blobPushed")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.BlobPushed.verify(message.blobPushed, _depth + 1);
                        if (error)
                            return "blobPushed." + error;
                    }
                }
                if (message.blobMounted != null && $Object.hasOwnProperty.call(message, "blobMounted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.BlobMounted.verify(message.blobMounted, _depth + 1);
                        if (error)
                            return "blobMounted." + error;
                    }
                }
                if (message.blobUnlinked != null && $Object.hasOwnProperty.call(message, "blobUnlinked")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.BlobUnlinked.verify(message.blobUnlinked, _depth + 1);
                        if (error)
                            return "blobUnlinked." + error;
                    }
                }
                if (message.manifestPushed != null && $Object.hasOwnProperty.call(message, "manifestPushed")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ManifestPushed.verify(message.manifestPushed, _depth + 1);
                        if (error)
                            return "manifestPushed." + error;
                    }
                }
                if (message.manifestDeleted != null && $Object.hasOwnProperty.call(message, "manifestDeleted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ManifestDeleted.verify(message.manifestDeleted, _depth + 1);
                        if (error)
                            return "manifestDeleted." + error;
                    }
                }
                if (message.tagMoved != null && $Object.hasOwnProperty.call(message, "tagMoved")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.TagMoved.verify(message.tagMoved, _depth + 1);
                        if (error)
                            return "tagMoved." + error;
                    }
                }
                if (message.tagDeleted != null && $Object.hasOwnProperty.call(message, "tagDeleted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.TagDeleted.verify(message.tagDeleted, _depth + 1);
                        if (error)
                            return "tagDeleted." + error;
                    }
                }
                if (message.repositorySettingsChanged != null && $Object.hasOwnProperty.call(message, "repositorySettingsChanged")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.RepositorySettingsChanged.verify(message.repositorySettingsChanged, _depth + 1);
                        if (error)
                            return "repositorySettingsChanged." + error;
                    }
                }
                if (message.contentErased != null && $Object.hasOwnProperty.call(message, "contentErased")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ContentErased.verify(message.contentErased, _depth + 1);
                        if (error)
                            return "contentErased." + error;
                    }
                }
                if (message.organizationCreated != null && $Object.hasOwnProperty.call(message, "organizationCreated")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.OrganizationCreated.verify(message.organizationCreated, _depth + 1);
                        if (error)
                            return "organizationCreated." + error;
                    }
                }
                if (message.projectCreated != null && $Object.hasOwnProperty.call(message, "projectCreated")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ProjectCreated.verify(message.projectCreated, _depth + 1);
                        if (error)
                            return "projectCreated." + error;
                    }
                }
                if (message.userCreated != null && $Object.hasOwnProperty.call(message, "userCreated")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.UserCreated.verify(message.userCreated, _depth + 1);
                        if (error)
                            return "userCreated." + error;
                    }
                }
                if (message.roleGranted != null && $Object.hasOwnProperty.call(message, "roleGranted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.RoleGranted.verify(message.roleGranted, _depth + 1);
                        if (error)
                            return "roleGranted." + error;
                    }
                }
                if (message.roleRevoked != null && $Object.hasOwnProperty.call(message, "roleRevoked")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.RoleRevoked.verify(message.roleRevoked, _depth + 1);
                        if (error)
                            return "roleRevoked." + error;
                    }
                }
                if (message.organizationDescribed != null && $Object.hasOwnProperty.call(message, "organizationDescribed")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.OrganizationDescribed.verify(message.organizationDescribed, _depth + 1);
                        if (error)
                            return "organizationDescribed." + error;
                    }
                }
                if (message.organizationDeleted != null && $Object.hasOwnProperty.call(message, "organizationDeleted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.OrganizationDeleted.verify(message.organizationDeleted, _depth + 1);
                        if (error)
                            return "organizationDeleted." + error;
                    }
                }
                if (message.projectDescribed != null && $Object.hasOwnProperty.call(message, "projectDescribed")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ProjectDescribed.verify(message.projectDescribed, _depth + 1);
                        if (error)
                            return "projectDescribed." + error;
                    }
                }
                if (message.projectDeleted != null && $Object.hasOwnProperty.call(message, "projectDeleted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ProjectDeleted.verify(message.projectDeleted, _depth + 1);
                        if (error)
                            return "projectDeleted." + error;
                    }
                }
                if (message.userDisabled != null && $Object.hasOwnProperty.call(message, "userDisabled")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.UserDisabled.verify(message.userDisabled, _depth + 1);
                        if (error)
                            return "userDisabled." + error;
                    }
                }
                if (message.userEnabled != null && $Object.hasOwnProperty.call(message, "userEnabled")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.UserEnabled.verify(message.userEnabled, _depth + 1);
                        if (error)
                            return "userEnabled." + error;
                    }
                }
                if (message.userPasswordChanged != null && $Object.hasOwnProperty.call(message, "userPasswordChanged")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.UserPasswordChanged.verify(message.userPasswordChanged, _depth + 1);
                        if (error)
                            return "userPasswordChanged." + error;
                    }
                }
                if (message.userForgotten != null && $Object.hasOwnProperty.call(message, "userForgotten")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.UserForgotten.verify(message.userForgotten, _depth + 1);
                        if (error)
                            return "userForgotten." + error;
                    }
                }
                if (message.serviceAccountCreated != null && $Object.hasOwnProperty.call(message, "serviceAccountCreated")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ServiceAccountCreated.verify(message.serviceAccountCreated, _depth + 1);
                        if (error)
                            return "serviceAccountCreated." + error;
                    }
                }
                if (message.serviceAccountDeleted != null && $Object.hasOwnProperty.call(message, "serviceAccountDeleted")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ServiceAccountDeleted.verify(message.serviceAccountDeleted, _depth + 1);
                        if (error)
                            return "serviceAccountDeleted." + error;
                    }
                }
                if (message.serviceAccountKeyAdded != null && $Object.hasOwnProperty.call(message, "serviceAccountKeyAdded")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ServiceAccountKeyAdded.verify(message.serviceAccountKeyAdded, _depth + 1);
                        if (error)
                            return "serviceAccountKeyAdded." + error;
                    }
                }
                if (message.serviceAccountKeyRevoked != null && $Object.hasOwnProperty.call(message, "serviceAccountKeyRevoked")) {
                    if (properties.payload === 1)
                        return "payload: multiple values";
                    properties.payload = 1;
                    {
                        let error = $root.artifactstore.events.ServiceAccountKeyRevoked.verify(message.serviceAccountKeyRevoked, _depth + 1);
                        if (error)
                            return "serviceAccountKeyRevoked." + error;
                    }
                }
                return null;
            };

            return Event;
        })();

        events.Actor = (function() {

            const Actor = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Actor.prototype.uid = $util.newBuffer([]);
            Actor.prototype.kind = 0;
            Actor.prototype.authentication = 0;
            Actor.prototype.key = $util.newBuffer([]);

            Actor.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.uid != null && $Object.hasOwnProperty.call(message, "uid") && message.uid.length)
                    writer.uint32(10).bytes(message.uid);
                if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== 0)
                    writer.uint32(16).int32(message.kind);
                if (message.authentication != null && $Object.hasOwnProperty.call(message, "authentication") && message.authentication !== 0)
                    writer.uint32(24).int32(message.authentication);
                if (message.key != null && $Object.hasOwnProperty.call(message, "key") && message.key.length)
                    writer.uint32(34).bytes(message.key);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Actor.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.Actor();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.uid = value;
                            else
                                delete message.uid;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.kind = value;
                            else
                                delete message.kind;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.authentication = value;
                            else
                                delete message.authentication;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.key = value;
                            else
                                delete message.key;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Actor.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.uid != null && $Object.hasOwnProperty.call(message, "uid"))
                    if (!(message.uid && typeof message.uid.length === "number" || $util.isString(message.uid)))
                        return "uid: buffer expected";
                if (message.kind != null && $Object.hasOwnProperty.call(message, "kind"))
                    if (typeof message.kind !== "number" || (message.kind | 0) !== message.kind)
                        return "kind: enum value expected";
                if (message.authentication != null && $Object.hasOwnProperty.call(message, "authentication"))
                    if (typeof message.authentication !== "number" || (message.authentication | 0) !== message.authentication)
                        return "authentication: enum value expected";
                if (message.key != null && $Object.hasOwnProperty.call(message, "key"))
                    if (!(message.key && typeof message.key.length === "number" || $util.isString(message.key)))
                        return "key: buffer expected";
                return null;
            };

            Actor.Kind = (function() {
                const valuesById = $Object.create(null), values = $Object.create(valuesById);
                values[valuesById[0] = "KIND_UNSPECIFIED"] = 0;
                values[valuesById[1] = "SYSTEM"] = 1;
                values[valuesById[2] = "ANONYMOUS"] = 2;
                values[valuesById[3] = "USER"] = 3;
                values[valuesById[4] = "SERVICE_ACCOUNT"] = 4;
                return values;
            })();

            Actor.Authentication = (function() {
                const valuesById = $Object.create(null), values = $Object.create(valuesById);
                values[valuesById[0] = "AUTHENTICATION_UNSPECIFIED"] = 0;
                values[valuesById[1] = "NONE"] = 1;
                values[valuesById[2] = "PASSWORD"] = 2;
                values[valuesById[3] = "TOKEN"] = 3;
                values[valuesById[4] = "KEY"] = 4;
                return values;
            })();

            return Actor;
        })();

        events.RepositoryCreated = (function() {

            const RepositoryCreated = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RepositoryCreated.prototype.project = $util.newBuffer([]);
            RepositoryCreated.prototype.id = "";

            RepositoryCreated.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.project != null && $Object.hasOwnProperty.call(message, "project") && message.project.length)
                    writer.uint32(10).bytes(message.project);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(18).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RepositoryCreated.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.RepositoryCreated();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.project = value;
                            else
                                delete message.project;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RepositoryCreated.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.project != null && $Object.hasOwnProperty.call(message, "project"))
                    if (!(message.project && typeof message.project.length === "number" || $util.isString(message.project)))
                        return "project: buffer expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return RepositoryCreated;
        })();

        events.RepositoryCreatedV2 = (function() {

            const RepositoryCreatedV2 = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RepositoryCreatedV2.prototype.project = $util.newBuffer([]);
            RepositoryCreatedV2.prototype.projectId = "";
            RepositoryCreatedV2.prototype.id = "";
            RepositoryCreatedV2.prototype.origin = 0;
            RepositoryCreatedV2.prototype.scanning = false;

            RepositoryCreatedV2.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.project != null && $Object.hasOwnProperty.call(message, "project") && message.project.length)
                    writer.uint32(10).bytes(message.project);
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId") && message.projectId !== "")
                    writer.uint32(18).string(message.projectId);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(26).string(message.id);
                if (message.origin != null && $Object.hasOwnProperty.call(message, "origin") && message.origin !== 0)
                    writer.uint32(32).int32(message.origin);
                if (message.scanning != null && $Object.hasOwnProperty.call(message, "scanning") && message.scanning !== false)
                    writer.uint32(40).bool(message.scanning);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RepositoryCreatedV2.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.RepositoryCreatedV2();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.project = value;
                            else
                                delete message.project;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.projectId = value;
                            else
                                delete message.projectId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.origin = value;
                            else
                                delete message.origin;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.scanning = value;
                            else
                                delete message.scanning;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RepositoryCreatedV2.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.project != null && $Object.hasOwnProperty.call(message, "project"))
                    if (!(message.project && typeof message.project.length === "number" || $util.isString(message.project)))
                        return "project: buffer expected";
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId"))
                    if (!$util.isString(message.projectId))
                        return "projectId: string expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                if (message.origin != null && $Object.hasOwnProperty.call(message, "origin"))
                    if (typeof message.origin !== "number" || (message.origin | 0) !== message.origin)
                        return "origin: enum value expected";
                if (message.scanning != null && $Object.hasOwnProperty.call(message, "scanning"))
                    if (typeof message.scanning !== "boolean")
                        return "scanning: boolean expected";
                return null;
            };

            RepositoryCreatedV2.Origin = (function() {
                const valuesById = $Object.create(null), values = $Object.create(valuesById);
                values[valuesById[0] = "ORIGIN_UNSPECIFIED"] = 0;
                values[valuesById[1] = "COMMAND"] = 1;
                values[valuesById[2] = "PUSH"] = 2;
                return values;
            })();

            return RepositoryCreatedV2;
        })();

        events.RepositoryDeletionBegun = (function() {

            const RepositoryDeletionBegun = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RepositoryDeletionBegun.prototype.project = $util.newBuffer([]);
            RepositoryDeletionBegun.prototype.projectId = "";
            RepositoryDeletionBegun.prototype.id = "";

            RepositoryDeletionBegun.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.project != null && $Object.hasOwnProperty.call(message, "project") && message.project.length)
                    writer.uint32(10).bytes(message.project);
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId") && message.projectId !== "")
                    writer.uint32(18).string(message.projectId);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(26).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RepositoryDeletionBegun.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.RepositoryDeletionBegun();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.project = value;
                            else
                                delete message.project;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.projectId = value;
                            else
                                delete message.projectId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RepositoryDeletionBegun.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.project != null && $Object.hasOwnProperty.call(message, "project"))
                    if (!(message.project && typeof message.project.length === "number" || $util.isString(message.project)))
                        return "project: buffer expected";
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId"))
                    if (!$util.isString(message.projectId))
                        return "projectId: string expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return RepositoryDeletionBegun;
        })();

        events.RepositoryDeleted = (function() {

            const RepositoryDeleted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RepositoryDeleted.prototype.project = $util.newBuffer([]);
            RepositoryDeleted.prototype.projectId = "";
            RepositoryDeleted.prototype.id = "";

            RepositoryDeleted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.project != null && $Object.hasOwnProperty.call(message, "project") && message.project.length)
                    writer.uint32(10).bytes(message.project);
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId") && message.projectId !== "")
                    writer.uint32(18).string(message.projectId);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(26).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RepositoryDeleted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.RepositoryDeleted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.project = value;
                            else
                                delete message.project;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.projectId = value;
                            else
                                delete message.projectId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RepositoryDeleted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.project != null && $Object.hasOwnProperty.call(message, "project"))
                    if (!(message.project && typeof message.project.length === "number" || $util.isString(message.project)))
                        return "project: buffer expected";
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId"))
                    if (!$util.isString(message.projectId))
                        return "projectId: string expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return RepositoryDeleted;
        })();

        events.BlobStored = (function() {

            const BlobStored = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            BlobStored.prototype.digest = "";
            BlobStored.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            BlobStored.prototype.generation = $util.newBuffer([]);

            BlobStored.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(10).string(message.digest);
                if (message.size != null && $Object.hasOwnProperty.call(message, "size") && (typeof message.size === "object" ? message.size.low || message.size.high : message.size !== 0))
                    writer.uint32(16).uint64(message.size);
                if (message.generation != null && $Object.hasOwnProperty.call(message, "generation") && message.generation.length)
                    writer.uint32(26).bytes(message.generation);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            BlobStored.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.BlobStored();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.size = value;
                            else
                                delete message.size;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.generation = value;
                            else
                                delete message.generation;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            BlobStored.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                if (message.size != null && $Object.hasOwnProperty.call(message, "size"))
                    if (!$util.isInteger(message.size) && !(message.size && $util.isInteger(message.size.low) && $util.isInteger(message.size.high)))
                        return "size: integer|Long expected";
                if (message.generation != null && $Object.hasOwnProperty.call(message, "generation"))
                    if (!(message.generation && typeof message.generation.length === "number" || $util.isString(message.generation)))
                        return "generation: buffer expected";
                return null;
            };

            return BlobStored;
        })();

        events.BlobPushed = (function() {

            const BlobPushed = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            BlobPushed.prototype.digest = "";
            BlobPushed.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

            BlobPushed.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(10).string(message.digest);
                if (message.size != null && $Object.hasOwnProperty.call(message, "size") && (typeof message.size === "object" ? message.size.low || message.size.high : message.size !== 0))
                    writer.uint32(16).uint64(message.size);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            BlobPushed.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.BlobPushed();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.size = value;
                            else
                                delete message.size;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            BlobPushed.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                if (message.size != null && $Object.hasOwnProperty.call(message, "size"))
                    if (!$util.isInteger(message.size) && !(message.size && $util.isInteger(message.size.low) && $util.isInteger(message.size.high)))
                        return "size: integer|Long expected";
                return null;
            };

            return BlobPushed;
        })();

        events.BlobMounted = (function() {

            const BlobMounted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            BlobMounted.prototype.digest = "";
            BlobMounted.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            BlobMounted.prototype.fromRepository = $util.newBuffer([]);

            BlobMounted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(10).string(message.digest);
                if (message.size != null && $Object.hasOwnProperty.call(message, "size") && (typeof message.size === "object" ? message.size.low || message.size.high : message.size !== 0))
                    writer.uint32(16).uint64(message.size);
                if (message.fromRepository != null && $Object.hasOwnProperty.call(message, "fromRepository") && message.fromRepository.length)
                    writer.uint32(26).bytes(message.fromRepository);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            BlobMounted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.BlobMounted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.size = value;
                            else
                                delete message.size;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.fromRepository = value;
                            else
                                delete message.fromRepository;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            BlobMounted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                if (message.size != null && $Object.hasOwnProperty.call(message, "size"))
                    if (!$util.isInteger(message.size) && !(message.size && $util.isInteger(message.size.low) && $util.isInteger(message.size.high)))
                        return "size: integer|Long expected";
                if (message.fromRepository != null && $Object.hasOwnProperty.call(message, "fromRepository"))
                    if (!(message.fromRepository && typeof message.fromRepository.length === "number" || $util.isString(message.fromRepository)))
                        return "fromRepository: buffer expected";
                return null;
            };

            return BlobMounted;
        })();

        events.BlobUnlinked = (function() {

            const BlobUnlinked = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            BlobUnlinked.prototype.digest = "";

            BlobUnlinked.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(10).string(message.digest);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            BlobUnlinked.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.BlobUnlinked();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            BlobUnlinked.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                return null;
            };

            return BlobUnlinked;
        })();

        events.ManifestPushed = (function() {

            const ManifestPushed = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ManifestPushed.prototype.image = "";
            ManifestPushed.prototype.digest = "";
            ManifestPushed.prototype.mediaType = "";
            ManifestPushed.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
            ManifestPushed.prototype.artifactType = "";
            ManifestPushed.prototype.subject = "";
            ManifestPushed.prototype.config = "";
            ManifestPushed.prototype.layersSize = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

            ManifestPushed.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.image != null && $Object.hasOwnProperty.call(message, "image") && message.image !== "")
                    writer.uint32(10).string(message.image);
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(18).string(message.digest);
                if (message.mediaType != null && $Object.hasOwnProperty.call(message, "mediaType") && message.mediaType !== "")
                    writer.uint32(26).string(message.mediaType);
                if (message.size != null && $Object.hasOwnProperty.call(message, "size") && (typeof message.size === "object" ? message.size.low || message.size.high : message.size !== 0))
                    writer.uint32(32).uint64(message.size);
                if (message.artifactType != null && $Object.hasOwnProperty.call(message, "artifactType") && message.artifactType !== "")
                    writer.uint32(42).string(message.artifactType);
                if (message.subject != null && $Object.hasOwnProperty.call(message, "subject") && message.subject !== "")
                    writer.uint32(50).string(message.subject);
                if (message.config != null && $Object.hasOwnProperty.call(message, "config") && message.config !== "")
                    writer.uint32(58).string(message.config);
                if (message.layersSize != null && $Object.hasOwnProperty.call(message, "layersSize") && (typeof message.layersSize === "object" ? message.layersSize.low || message.layersSize.high : message.layersSize !== 0))
                    writer.uint32(64).uint64(message.layersSize);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ManifestPushed.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ManifestPushed();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.image = value;
                            else
                                delete message.image;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.mediaType = value;
                            else
                                delete message.mediaType;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.size = value;
                            else
                                delete message.size;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.artifactType = value;
                            else
                                delete message.artifactType;
                            continue;
                        }
                    case 6: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.subject = value;
                            else
                                delete message.subject;
                            continue;
                        }
                    case 7: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.config = value;
                            else
                                delete message.config;
                            continue;
                        }
                    case 8: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                message.layersSize = value;
                            else
                                delete message.layersSize;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ManifestPushed.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.image != null && $Object.hasOwnProperty.call(message, "image"))
                    if (!$util.isString(message.image))
                        return "image: string expected";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                if (message.mediaType != null && $Object.hasOwnProperty.call(message, "mediaType"))
                    if (!$util.isString(message.mediaType))
                        return "mediaType: string expected";
                if (message.size != null && $Object.hasOwnProperty.call(message, "size"))
                    if (!$util.isInteger(message.size) && !(message.size && $util.isInteger(message.size.low) && $util.isInteger(message.size.high)))
                        return "size: integer|Long expected";
                if (message.artifactType != null && $Object.hasOwnProperty.call(message, "artifactType"))
                    if (!$util.isString(message.artifactType))
                        return "artifactType: string expected";
                if (message.subject != null && $Object.hasOwnProperty.call(message, "subject"))
                    if (!$util.isString(message.subject))
                        return "subject: string expected";
                if (message.config != null && $Object.hasOwnProperty.call(message, "config"))
                    if (!$util.isString(message.config))
                        return "config: string expected";
                if (message.layersSize != null && $Object.hasOwnProperty.call(message, "layersSize"))
                    if (!$util.isInteger(message.layersSize) && !(message.layersSize && $util.isInteger(message.layersSize.low) && $util.isInteger(message.layersSize.high)))
                        return "layersSize: integer|Long expected";
                return null;
            };

            return ManifestPushed;
        })();

        events.ManifestDeleted = (function() {

            const ManifestDeleted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ManifestDeleted.prototype.image = "";
            ManifestDeleted.prototype.digest = "";

            ManifestDeleted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.image != null && $Object.hasOwnProperty.call(message, "image") && message.image !== "")
                    writer.uint32(10).string(message.image);
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(18).string(message.digest);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ManifestDeleted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ManifestDeleted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.image = value;
                            else
                                delete message.image;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ManifestDeleted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.image != null && $Object.hasOwnProperty.call(message, "image"))
                    if (!$util.isString(message.image))
                        return "image: string expected";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                return null;
            };

            return ManifestDeleted;
        })();

        events.TagMoved = (function() {

            const TagMoved = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TagMoved.prototype.image = "";
            TagMoved.prototype.tag = "";
            TagMoved.prototype.digest = "";
            TagMoved.prototype.previous = "";

            TagMoved.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.image != null && $Object.hasOwnProperty.call(message, "image") && message.image !== "")
                    writer.uint32(10).string(message.image);
                if (message.tag != null && $Object.hasOwnProperty.call(message, "tag") && message.tag !== "")
                    writer.uint32(18).string(message.tag);
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(26).string(message.digest);
                if (message.previous != null && $Object.hasOwnProperty.call(message, "previous") && message.previous !== "")
                    writer.uint32(34).string(message.previous);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TagMoved.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.TagMoved();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.image = value;
                            else
                                delete message.image;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.tag = value;
                            else
                                delete message.tag;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.previous = value;
                            else
                                delete message.previous;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TagMoved.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.image != null && $Object.hasOwnProperty.call(message, "image"))
                    if (!$util.isString(message.image))
                        return "image: string expected";
                if (message.tag != null && $Object.hasOwnProperty.call(message, "tag"))
                    if (!$util.isString(message.tag))
                        return "tag: string expected";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                if (message.previous != null && $Object.hasOwnProperty.call(message, "previous"))
                    if (!$util.isString(message.previous))
                        return "previous: string expected";
                return null;
            };

            return TagMoved;
        })();

        events.TagDeleted = (function() {

            const TagDeleted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            TagDeleted.prototype.image = "";
            TagDeleted.prototype.tag = "";
            TagDeleted.prototype.digest = "";

            TagDeleted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.image != null && $Object.hasOwnProperty.call(message, "image") && message.image !== "")
                    writer.uint32(10).string(message.image);
                if (message.tag != null && $Object.hasOwnProperty.call(message, "tag") && message.tag !== "")
                    writer.uint32(18).string(message.tag);
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(26).string(message.digest);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            TagDeleted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.TagDeleted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.image = value;
                            else
                                delete message.image;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.tag = value;
                            else
                                delete message.tag;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            TagDeleted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.image != null && $Object.hasOwnProperty.call(message, "image"))
                    if (!$util.isString(message.image))
                        return "image: string expected";
                if (message.tag != null && $Object.hasOwnProperty.call(message, "tag"))
                    if (!$util.isString(message.tag))
                        return "tag: string expected";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                return null;
            };

            return TagDeleted;
        })();

        events.OrganizationCreated = (function() {

            const OrganizationCreated = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            OrganizationCreated.prototype.id = "";

            OrganizationCreated.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(10).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            OrganizationCreated.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.OrganizationCreated();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            OrganizationCreated.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return OrganizationCreated;
        })();

        events.ProjectCreated = (function() {

            const ProjectCreated = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ProjectCreated.prototype.organization = $util.newBuffer([]);
            ProjectCreated.prototype.id = "";

            ProjectCreated.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.organization != null && $Object.hasOwnProperty.call(message, "organization") && message.organization.length)
                    writer.uint32(10).bytes(message.organization);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(18).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ProjectCreated.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ProjectCreated();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.organization = value;
                            else
                                delete message.organization;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ProjectCreated.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.organization != null && $Object.hasOwnProperty.call(message, "organization"))
                    if (!(message.organization && typeof message.organization.length === "number" || $util.isString(message.organization)))
                        return "organization: buffer expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return ProjectCreated;
        })();

        events.UserCreated = (function() {

            const UserCreated = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            UserCreated.prototype.nameHash = $util.newBuffer([]);

            UserCreated.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nameHash != null && $Object.hasOwnProperty.call(message, "nameHash") && message.nameHash.length)
                    writer.uint32(10).bytes(message.nameHash);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            UserCreated.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.UserCreated();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.nameHash = value;
                            else
                                delete message.nameHash;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            UserCreated.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.nameHash != null && $Object.hasOwnProperty.call(message, "nameHash"))
                    if (!(message.nameHash && typeof message.nameHash.length === "number" || $util.isString(message.nameHash)))
                        return "nameHash: buffer expected";
                return null;
            };

            return UserCreated;
        })();

        events.Role = (function() {
            const valuesById = $Object.create(null), values = $Object.create(valuesById);
            values[valuesById[0] = "ROLE_UNSPECIFIED"] = 0;
            values[valuesById[1] = "VIEWER"] = 1;
            values[valuesById[2] = "EDITOR"] = 2;
            values[valuesById[3] = "OWNER"] = 3;
            return values;
        })();

        events.Principal = (function() {

            const Principal = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            Principal.prototype.kind = 0;
            Principal.prototype.uid = $util.newBuffer([]);

            Principal.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== 0)
                    writer.uint32(8).int32(message.kind);
                if (message.uid != null && $Object.hasOwnProperty.call(message, "uid") && message.uid.length)
                    writer.uint32(18).bytes(message.uid);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            Principal.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.Principal();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.kind = value;
                            else
                                delete message.kind;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.uid = value;
                            else
                                delete message.uid;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            Principal.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.kind != null && $Object.hasOwnProperty.call(message, "kind"))
                    if (typeof message.kind !== "number" || (message.kind | 0) !== message.kind)
                        return "kind: enum value expected";
                if (message.uid != null && $Object.hasOwnProperty.call(message, "uid"))
                    if (!(message.uid && typeof message.uid.length === "number" || $util.isString(message.uid)))
                        return "uid: buffer expected";
                return null;
            };

            Principal.Kind = (function() {
                const valuesById = $Object.create(null), values = $Object.create(valuesById);
                values[valuesById[0] = "KIND_UNSPECIFIED"] = 0;
                values[valuesById[1] = "USER"] = 1;
                values[valuesById[2] = "SERVICE_ACCOUNT"] = 2;
                values[valuesById[3] = "ALL_USERS"] = 3;
                values[valuesById[4] = "ALL_AUTHENTICATED_USERS"] = 4;
                return values;
            })();

            return Principal;
        })();

        events.RoleGranted = (function() {

            const RoleGranted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RoleGranted.prototype.principal = null;
            RoleGranted.prototype.role = 0;

            RoleGranted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.principal != null && $Object.hasOwnProperty.call(message, "principal"))
                    $root.artifactstore.events.Principal.encode(message.principal, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.role != null && $Object.hasOwnProperty.call(message, "role") && message.role !== 0)
                    writer.uint32(16).int32(message.role);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RoleGranted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.RoleGranted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.principal = $root.artifactstore.events.Principal.decode(reader, reader.size(), $undefined, _depth + 1, message.principal);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.role = value;
                            else
                                delete message.role;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RoleGranted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.principal != null && $Object.hasOwnProperty.call(message, "principal")) {
                    let error = $root.artifactstore.events.Principal.verify(message.principal, _depth + 1);
                    if (error)
                        return "principal." + error;
                }
                if (message.role != null && $Object.hasOwnProperty.call(message, "role"))
                    if (typeof message.role !== "number" || (message.role | 0) !== message.role)
                        return "role: enum value expected";
                return null;
            };

            return RoleGranted;
        })();

        events.RoleRevoked = (function() {

            const RoleRevoked = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RoleRevoked.prototype.principal = null;
            RoleRevoked.prototype.role = 0;

            RoleRevoked.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.principal != null && $Object.hasOwnProperty.call(message, "principal"))
                    $root.artifactstore.events.Principal.encode(message.principal, writer.uint32(10).fork(), _depth + 1).ldelim();
                if (message.role != null && $Object.hasOwnProperty.call(message, "role") && message.role !== 0)
                    writer.uint32(16).int32(message.role);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RoleRevoked.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.RoleRevoked();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            message.principal = $root.artifactstore.events.Principal.decode(reader, reader.size(), $undefined, _depth + 1, message.principal);
                            continue;
                        }
                    case 2: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.int32())
                                message.role = value;
                            else
                                delete message.role;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RoleRevoked.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.principal != null && $Object.hasOwnProperty.call(message, "principal")) {
                    let error = $root.artifactstore.events.Principal.verify(message.principal, _depth + 1);
                    if (error)
                        return "principal." + error;
                }
                if (message.role != null && $Object.hasOwnProperty.call(message, "role"))
                    if (typeof message.role !== "number" || (message.role | 0) !== message.role)
                        return "role: enum value expected";
                return null;
            };

            return RoleRevoked;
        })();

        events.RepositorySettingsChanged = (function() {

            const RepositorySettingsChanged = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            RepositorySettingsChanged.prototype.displayName = "";
            RepositorySettingsChanged.prototype.description = "";
            RepositorySettingsChanged.prototype.scanning = false;
            RepositorySettingsChanged.prototype.immutableTags = false;
            RepositorySettingsChanged.prototype.immutableTagExemptions = "";

            RepositorySettingsChanged.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName") && message.displayName !== "")
                    writer.uint32(10).string(message.displayName);
                if (message.description != null && $Object.hasOwnProperty.call(message, "description") && message.description !== "")
                    writer.uint32(18).string(message.description);
                if (message.scanning != null && $Object.hasOwnProperty.call(message, "scanning") && message.scanning !== false)
                    writer.uint32(24).bool(message.scanning);
                if (message.immutableTags != null && $Object.hasOwnProperty.call(message, "immutableTags") && message.immutableTags !== false)
                    writer.uint32(32).bool(message.immutableTags);
                if (message.immutableTagExemptions != null && $Object.hasOwnProperty.call(message, "immutableTagExemptions") && message.immutableTagExemptions !== "")
                    writer.uint32(42).string(message.immutableTagExemptions);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            RepositorySettingsChanged.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.RepositorySettingsChanged();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.displayName = value;
                            else
                                delete message.displayName;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.description = value;
                            else
                                delete message.description;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.scanning = value;
                            else
                                delete message.scanning;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.immutableTags = value;
                            else
                                delete message.immutableTags;
                            continue;
                        }
                    case 5: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.immutableTagExemptions = value;
                            else
                                delete message.immutableTagExemptions;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            RepositorySettingsChanged.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName"))
                    if (!$util.isString(message.displayName))
                        return "displayName: string expected";
                if (message.description != null && $Object.hasOwnProperty.call(message, "description"))
                    if (!$util.isString(message.description))
                        return "description: string expected";
                if (message.scanning != null && $Object.hasOwnProperty.call(message, "scanning"))
                    if (typeof message.scanning !== "boolean")
                        return "scanning: boolean expected";
                if (message.immutableTags != null && $Object.hasOwnProperty.call(message, "immutableTags"))
                    if (typeof message.immutableTags !== "boolean")
                        return "immutableTags: boolean expected";
                if (message.immutableTagExemptions != null && $Object.hasOwnProperty.call(message, "immutableTagExemptions"))
                    if (!$util.isString(message.immutableTagExemptions))
                        return "immutableTagExemptions: string expected";
                return null;
            };

            return RepositorySettingsChanged;
        })();

        events.ContentErased = (function() {

            const ContentErased = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ContentErased.prototype.digest = "";

            ContentErased.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest !== "")
                    writer.uint32(10).string(message.digest);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ContentErased.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ContentErased();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.digest = value;
                            else
                                delete message.digest;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ContentErased.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.digest != null && $Object.hasOwnProperty.call(message, "digest"))
                    if (!$util.isString(message.digest))
                        return "digest: string expected";
                return null;
            };

            return ContentErased;
        })();

        events.OrganizationDescribed = (function() {

            const OrganizationDescribed = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            OrganizationDescribed.prototype.displayName = "";
            OrganizationDescribed.prototype.description = "";

            OrganizationDescribed.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName") && message.displayName !== "")
                    writer.uint32(10).string(message.displayName);
                if (message.description != null && $Object.hasOwnProperty.call(message, "description") && message.description !== "")
                    writer.uint32(18).string(message.description);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            OrganizationDescribed.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.OrganizationDescribed();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.displayName = value;
                            else
                                delete message.displayName;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.description = value;
                            else
                                delete message.description;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            OrganizationDescribed.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName"))
                    if (!$util.isString(message.displayName))
                        return "displayName: string expected";
                if (message.description != null && $Object.hasOwnProperty.call(message, "description"))
                    if (!$util.isString(message.description))
                        return "description: string expected";
                return null;
            };

            return OrganizationDescribed;
        })();

        events.OrganizationDeleted = (function() {

            const OrganizationDeleted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            OrganizationDeleted.prototype.id = "";

            OrganizationDeleted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(10).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            OrganizationDeleted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.OrganizationDeleted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            OrganizationDeleted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return OrganizationDeleted;
        })();

        events.ProjectDescribed = (function() {

            const ProjectDescribed = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ProjectDescribed.prototype.displayName = "";
            ProjectDescribed.prototype.description = "";

            ProjectDescribed.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName") && message.displayName !== "")
                    writer.uint32(10).string(message.displayName);
                if (message.description != null && $Object.hasOwnProperty.call(message, "description") && message.description !== "")
                    writer.uint32(18).string(message.description);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ProjectDescribed.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ProjectDescribed();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.displayName = value;
                            else
                                delete message.displayName;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.description = value;
                            else
                                delete message.description;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ProjectDescribed.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName"))
                    if (!$util.isString(message.displayName))
                        return "displayName: string expected";
                if (message.description != null && $Object.hasOwnProperty.call(message, "description"))
                    if (!$util.isString(message.description))
                        return "description: string expected";
                return null;
            };

            return ProjectDescribed;
        })();

        events.ProjectDeleted = (function() {

            const ProjectDeleted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ProjectDeleted.prototype.organization = $util.newBuffer([]);
            ProjectDeleted.prototype.id = "";

            ProjectDeleted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.organization != null && $Object.hasOwnProperty.call(message, "organization") && message.organization.length)
                    writer.uint32(10).bytes(message.organization);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(18).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ProjectDeleted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ProjectDeleted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.organization = value;
                            else
                                delete message.organization;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ProjectDeleted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.organization != null && $Object.hasOwnProperty.call(message, "organization"))
                    if (!(message.organization && typeof message.organization.length === "number" || $util.isString(message.organization)))
                        return "organization: buffer expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return ProjectDeleted;
        })();

        events.UserDisabled = (function() {

            const UserDisabled = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            UserDisabled.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            UserDisabled.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.UserDisabled();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            UserDisabled.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                return null;
            };

            return UserDisabled;
        })();

        events.UserEnabled = (function() {

            const UserEnabled = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            UserEnabled.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            UserEnabled.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.UserEnabled();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    reader.skipType(tag & 7, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            UserEnabled.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                return null;
            };

            return UserEnabled;
        })();

        events.UserPasswordChanged = (function() {

            const UserPasswordChanged = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            UserPasswordChanged.prototype.reset = false;

            UserPasswordChanged.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.reset != null && $Object.hasOwnProperty.call(message, "reset") && message.reset !== false)
                    writer.uint32(8).bool(message.reset);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            UserPasswordChanged.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.UserPasswordChanged();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 0)
                                break;
                            if (value = reader.bool())
                                message.reset = value;
                            else
                                delete message.reset;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            UserPasswordChanged.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.reset != null && $Object.hasOwnProperty.call(message, "reset"))
                    if (typeof message.reset !== "boolean")
                        return "reset: boolean expected";
                return null;
            };

            return UserPasswordChanged;
        })();

        events.UserForgotten = (function() {

            const UserForgotten = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            UserForgotten.prototype.nameHash = $util.newBuffer([]);

            UserForgotten.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.nameHash != null && $Object.hasOwnProperty.call(message, "nameHash") && message.nameHash.length)
                    writer.uint32(10).bytes(message.nameHash);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            UserForgotten.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.UserForgotten();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.nameHash = value;
                            else
                                delete message.nameHash;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            UserForgotten.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.nameHash != null && $Object.hasOwnProperty.call(message, "nameHash"))
                    if (!(message.nameHash && typeof message.nameHash.length === "number" || $util.isString(message.nameHash)))
                        return "nameHash: buffer expected";
                return null;
            };

            return UserForgotten;
        })();

        events.ServiceAccountCreated = (function() {

            const ServiceAccountCreated = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceAccountCreated.prototype.project = $util.newBuffer([]);
            ServiceAccountCreated.prototype.projectId = "";
            ServiceAccountCreated.prototype.id = "";
            ServiceAccountCreated.prototype.displayName = "";

            ServiceAccountCreated.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.project != null && $Object.hasOwnProperty.call(message, "project") && message.project.length)
                    writer.uint32(10).bytes(message.project);
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId") && message.projectId !== "")
                    writer.uint32(18).string(message.projectId);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(26).string(message.id);
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName") && message.displayName !== "")
                    writer.uint32(34).string(message.displayName);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceAccountCreated.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ServiceAccountCreated();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.project = value;
                            else
                                delete message.project;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.projectId = value;
                            else
                                delete message.projectId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    case 4: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.displayName = value;
                            else
                                delete message.displayName;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceAccountCreated.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.project != null && $Object.hasOwnProperty.call(message, "project"))
                    if (!(message.project && typeof message.project.length === "number" || $util.isString(message.project)))
                        return "project: buffer expected";
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId"))
                    if (!$util.isString(message.projectId))
                        return "projectId: string expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                if (message.displayName != null && $Object.hasOwnProperty.call(message, "displayName"))
                    if (!$util.isString(message.displayName))
                        return "displayName: string expected";
                return null;
            };

            return ServiceAccountCreated;
        })();

        events.ServiceAccountDeleted = (function() {

            const ServiceAccountDeleted = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceAccountDeleted.prototype.project = $util.newBuffer([]);
            ServiceAccountDeleted.prototype.projectId = "";
            ServiceAccountDeleted.prototype.id = "";

            ServiceAccountDeleted.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.project != null && $Object.hasOwnProperty.call(message, "project") && message.project.length)
                    writer.uint32(10).bytes(message.project);
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId") && message.projectId !== "")
                    writer.uint32(18).string(message.projectId);
                if (message.id != null && $Object.hasOwnProperty.call(message, "id") && message.id !== "")
                    writer.uint32(26).string(message.id);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceAccountDeleted.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ServiceAccountDeleted();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.project = value;
                            else
                                delete message.project;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.projectId = value;
                            else
                                delete message.projectId;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.stringVerify()).length)
                                message.id = value;
                            else
                                delete message.id;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceAccountDeleted.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.project != null && $Object.hasOwnProperty.call(message, "project"))
                    if (!(message.project && typeof message.project.length === "number" || $util.isString(message.project)))
                        return "project: buffer expected";
                if (message.projectId != null && $Object.hasOwnProperty.call(message, "projectId"))
                    if (!$util.isString(message.projectId))
                        return "projectId: string expected";
                if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
                    if (!$util.isString(message.id))
                        return "id: string expected";
                return null;
            };

            return ServiceAccountDeleted;
        })();

        events.ServiceAccountKeyAdded = (function() {

            const ServiceAccountKeyAdded = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceAccountKeyAdded.prototype.key = $util.newBuffer([]);
            ServiceAccountKeyAdded.prototype.publicKey = $util.newBuffer([]);
            ServiceAccountKeyAdded.prototype.expiresAt = $util.Long ? $util.Long.fromBits(0,0,false) : 0;

            ServiceAccountKeyAdded.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.key != null && $Object.hasOwnProperty.call(message, "key") && message.key.length)
                    writer.uint32(10).bytes(message.key);
                if (message.publicKey != null && $Object.hasOwnProperty.call(message, "publicKey") && message.publicKey.length)
                    writer.uint32(18).bytes(message.publicKey);
                if (message.expiresAt != null && $Object.hasOwnProperty.call(message, "expiresAt") && (typeof message.expiresAt === "object" ? message.expiresAt.low || message.expiresAt.high : message.expiresAt !== 0))
                    writer.uint32(24).int64(message.expiresAt);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceAccountKeyAdded.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ServiceAccountKeyAdded();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.key = value;
                            else
                                delete message.key;
                            continue;
                        }
                    case 2: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.publicKey = value;
                            else
                                delete message.publicKey;
                            continue;
                        }
                    case 3: {
                            if (wireType !== 0)
                                break;
                            if (typeof (value = reader.int64()) === "object" ? value.low || value.high : value !== 0)
                                message.expiresAt = value;
                            else
                                delete message.expiresAt;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceAccountKeyAdded.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.key != null && $Object.hasOwnProperty.call(message, "key"))
                    if (!(message.key && typeof message.key.length === "number" || $util.isString(message.key)))
                        return "key: buffer expected";
                if (message.publicKey != null && $Object.hasOwnProperty.call(message, "publicKey"))
                    if (!(message.publicKey && typeof message.publicKey.length === "number" || $util.isString(message.publicKey)))
                        return "publicKey: buffer expected";
                if (message.expiresAt != null && $Object.hasOwnProperty.call(message, "expiresAt"))
                    if (!$util.isInteger(message.expiresAt) && !(message.expiresAt && $util.isInteger(message.expiresAt.low) && $util.isInteger(message.expiresAt.high)))
                        return "expiresAt: integer|Long expected";
                return null;
            };

            return ServiceAccountKeyAdded;
        })();

        events.ServiceAccountKeyRevoked = (function() {

            const ServiceAccountKeyRevoked = function (properties) {
                if (properties)
                    for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                        if (properties[keys[i]] != null && keys[i] !== "__proto__")
                            this[keys[i]] = properties[keys[i]];
            };

            ServiceAccountKeyRevoked.prototype.key = $util.newBuffer([]);

            ServiceAccountKeyRevoked.encode = function (message, writer, _depth) {
                if (!writer)
                    writer = $Writer.create();
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    throw $Error("max depth exceeded");
                if (message.key != null && $Object.hasOwnProperty.call(message, "key") && message.key.length)
                    writer.uint32(10).bytes(message.key);
                if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                    for (let i = 0; i < message.$unknowns.length; ++i)
                        writer.raw(message.$unknowns[i]);
                return writer;
            };

            ServiceAccountKeyRevoked.decode = function (reader, length, _end, _depth, _target) {
                if (!(reader instanceof $Reader))
                    reader = $Reader.create(reader);
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $Reader.recursionLimit)
                    throw $Error("max depth exceeded");
                let end, message, value;
                if (length === $undefined)
                    end = reader.len;
                else {
                    end = reader.pos + length;
                    if (end > reader.len)
                        throw $RangeError("index out of range");
                    length = reader.len;
                    reader.len = end;
                }
                message = _target || new $root.artifactstore.events.ServiceAccountKeyRevoked();
                let last = 0;
                while (reader.pos < end) {
                    let start = reader.pos;
                    let tag = reader.tag();
                    if (tag >>> 3 <= last)
                        throw $Error("a field is there twice, or behind a later one");
                    last = tag >>> 3;
                    if (tag === _end) {
                        _end = $undefined;
                        break;
                    }
                    let wireType = tag & 7;
                    switch (tag >>>= 3) {
                    case 1: {
                            if (wireType !== 2)
                                break;
                            if ((value = reader.bytes()).length)
                                message.key = value;
                            else
                                delete message.key;
                            continue;
                        }
                    }
                    reader.skipType(wireType, _depth, tag);
                    if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                }
                if (length !== $undefined) {
                    if (reader.pos !== end)
                        throw $RangeError("index out of range");
                    reader.len = length;
                }
                if (_end !== $undefined)
                    throw $Error("missing end group");
                return message;
            };

            ServiceAccountKeyRevoked.verify = function (message, _depth) {
                if (typeof message !== "object" || message === null)
                    return "object expected";
                if (_depth === $undefined)
                    _depth = 0;
                if (_depth > $util.recursionLimit)
                    return "max depth exceeded";
                if (message.key != null && $Object.hasOwnProperty.call(message, "key"))
                    if (!(message.key && typeof message.key.length === "number" || $util.isString(message.key)))
                        return "key: buffer expected";
                return null;
            };

            return ServiceAccountKeyRevoked;
        })();

        return events;
    })();

    return artifactstore;
})();

export {
  $root as default
};
