-- What the streaming job writes to HDFS from the topic {{ topic | comment }}, as a table of Hive.
CREATE EXTERNAL TABLE {{ table }}(
id BIGINT,
text STRING,
source STRING,
reTweeted BOOLEAN,
username STRING,
createdAt TIMESTAMP,
retweetCount INT,
userLocation STRING,
inReplyToUserId BIGINT,
inReplyToStatusId BIGINT,
userScreenName STRING,
userDescription STRING,
userFriendsCount INT,
userStatusesCount INT,
userFollowersCount INT
)
ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'
LOCATION {{ location | sql }};
