CREATE TABLE IF NOT EXISTS poc.hybrid_tweets (
  id bigint,
  text varchar(2000),
  source varchar(2000),
  reTweeted varchar(256),
  username varchar(2000),
  createdAt varchar(2000),
  retweetCount bigint,
  userLocation varchar(2000),
  inReplyToUserId bigint,
  inReplyToStatusId bigint,
  userScreenName varchar(2000),
  userDescription varchar(2000),
  userFriendsCount bigint,
  userStatusesCount bigint,
  userFollowersCount bigint
)
